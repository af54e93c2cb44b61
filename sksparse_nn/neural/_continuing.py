"""What a fit takes over from a former one, and which parameters may have changed.

`fit` with warm_start builds network and optimizer anew and copies the weights, so that
all parameters take effect but those of `_KEPT_BY_FIT`. `partial_fit` goes on with the
network and the optimizer as they are: `_KEPT_BY_PARTIAL_FIT` must stay, `_TAKEN` are
set anew, and all others are read in each call.
"""

from copy import deepcopy
from dataclasses import replace

import torch

from sksparse_nn.modules._coded import CodedNetwork
from sksparse_nn.modules._first_layer import check_first_layer
from sksparse_nn.modules._networks import PATCH_NET
from sksparse_nn.modules._spec import ModuleSpec, read_layer_sizes
from sksparse_nn.neural._coder import head_of
from sksparse_nn.neural._coder_record import is_tuned_otherwise, list_coder_changes
from sksparse_nn.neural._construction import name_settings, read_module
from sksparse_nn.neural._equality import are_same
from sksparse_nn.neural._images import is_shape
from sksparse_nn.neural._loop import is_closure_free
from sksparse_nn.neural._losses import NumberLoss, OwnClassLoss
from sksparse_nn.neural._optimizers import find_defaults, makes_optimizer, may_change

_SETTING, _GROUPS = "optimizer__", "optimizer__param_groups"


def check_warm_start(estimator):
    """Raise if a parameter has changed that a warm start cannot change.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Fitted. It does not change.

    Raises
    ------
    ValueError
        If there is one, or the coder is not there any more.
    """
    advice = "set warm_start=False to start anew"
    _check_kept(estimator, _KEPT_BY_FIT, "fit with warm_start=True", advice)
    if estimator._is_tuned and "coder_" not in vars(estimator):
        raise ValueError(
            "warm_start=True goes on with the fitted coder. Got a network that was "
            "compressed or copied for prediction, which has none; fit the original, or "
            f"{advice}."
        )


def check_partial_fit(estimator):
    """Raise if a parameter has changed that `partial_fit` cannot change.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Fitted. It does not change.

    Raises
    ------
    ValueError
        If there is one, or the network has no optimizer any more.
    """
    if estimator.net_.optimizer_ is None:
        raise ValueError(
            "partial_fit continues from the optimizer's state. Got a network that was "
            "compressed or loaded for prediction only, which has none; train the "
            "original network."
        )
    advice = "call fit to start anew"
    _check_kept(estimator, _KEPT_BY_PARTIAL_FIT, "partial_fit", advice)


def take_over(net, former):
    """Copy the weights and history of a former net into a new one.

    Parameters
    ----------
    net : Net
        Overwritten.

    former : Net
        Not changed.

    Raises
    ------
    ValueError
        If the layers differ.
    """
    try:
        net.module_.load_state_dict(_lay_out_like(net, former).state_dict())
    except RuntimeError as error:
        raise ValueError(
            "warm_start=True continues the former network, so hidden_layer_sizes, "
            "module, module_params and the number of outputs must stay as they were. "
            f"Got others: {error} Set warm_start=False to start anew."
        ) from error
    net.history.extend(former.history)
    net.path = former.path


def resume_net(estimator, *, batch_size):
    """Copy the net of an estimator to continue its training, with its optimizer.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Fitted, and not changed. The copy follows its parameters.

    batch_size : int
        Samples per batch from now on.

    Returns
    -------
    net : Net
        A copy.

    Raises
    ------
    ValueError
        If a parameter cannot be used.
    """
    former = estimator.net_
    net = deepcopy(former, {id(former.module): former.module})
    net.batch_size = batch_size
    if not is_closure_free(net.optimizer_):
        # Copies of other optimizers lose what they hold besides their state.
        state = net.optimizer_.state_dict()
        net.initialize_optimizer()
        net.optimizer_.load_state_dict(state)
    for take in _TAKEN.values():
        take(estimator, net)
    return net


def _lay_out_like(net, former):
    """Return the former module, with dropout where the new one has it."""
    spec, known = _spec_of(net), _spec_of(former)
    if spec is None or known is None or spec.dropout == known.dropout:
        return former.module_
    module = deepcopy(former.module_)
    _set_share_dropped(module, spec)
    return module


def _spec_of(net):
    """Return the description that a module was built from, if it is there."""
    spec = getattr(net.module, "__self__", None)
    return spec if isinstance(spec, ModuleSpec) else None


def _check_kept(estimator, kept, method, advice):
    for name, find in kept.items():
        found = find(estimator)
        names = [name] if found is True else found
        if names:
            parameters = estimator.get_params()
            given = ", ".join(f"{name}={parameters[name]!r}" for name in names)
            raise ValueError(
                f"{method} goes on with what the former fit made, so "
                f"{' and '.join(names)} must stay as in that fit. Got {given}; set "
                f"{'it' if len(names) == 1 else 'them'} back, or {advice}."
            )
    estimator._check_reconstruction()


def _is_patch_net_or_no_more(estimator):
    spec = _spec_of(estimator.net_)
    if spec is None:
        return False
    was_one = isinstance(spec.module, str) and spec.module == PATCH_NET
    return was_one != estimator._has_patch_net


def _has_other_module(estimator):
    spec = _spec_of(estimator.net_)
    return spec is not None and not are_same(spec.module, read_module(estimator))


def _has_other_module_params(estimator):
    spec, params = _spec_of(estimator.net_), estimator.module_params or {}
    return spec is not None and not are_same(spec.module_params, params)


def _has_other_sizes(estimator):
    spec = _spec_of(estimator.net_)
    if spec is None or spec.module is not None:
        return False
    sizes = read_layer_sizes(spec.hidden_layer_sizes)
    return sizes != read_layer_sizes(estimator.hidden_layer_sizes)


def _has_other_activation(estimator):
    spec = _spec_of(estimator.net_)
    is_read = spec is not None and spec.module is None
    return is_read and spec.activation != estimator.activation


def _has_other_image_shape(estimator):
    given, known = estimator.image_shape, vars(estimator).get("image_shape_")
    if given is None:  # which takes that of the samples
        return False
    return known is None or not is_shape(given, known)


def _has_other_optimizer(estimator):
    return not makes_optimizer(estimator.net_.optimizer, estimator.optimizer)


def _find_settings_that_stay(estimator):
    optimizer = estimator.net_.optimizer_
    changes = _find_changed_settings(estimator, estimator.net_)
    fixed = [name for name in changes if not may_change(optimizer, name)]
    others = ["optimizer_params"] * any(name != "weight_decay" for name in fixed)
    return ["weight_decay"] * ("weight_decay" in fixed) + others


def _find_changed_settings(estimator, net):
    """Return the settings of the optimizer that have changed, with their new values."""
    former = _read_settings(vars(net))
    given = {
        "weight_decay": estimator.weight_decay,
        **(estimator.optimizer_params or {}),
    }
    if are_same(former, given):  # spares making an optimizer
        return {}
    present = _read_settings(name_settings(estimator))
    defaults = find_defaults(estimator.optimizer, present)
    missing = object()
    return {
        name: defaults.get(name)
        for name in sorted(former.keys() | present.keys())
        if not are_same(former.get(name, missing), present.get(name, missing))
    }


def _read_settings(by_name):
    """Return the settings among attributes of a net."""
    return {
        name.removeprefix(_SETTING): by_name[name]
        for name in by_name
        if name.startswith(_SETTING) and name != _GROUPS
    }


def _has_other_loss(estimator):
    criterion = estimator.net_.criterion_
    if isinstance(criterion, NumberLoss):  # which is compared with the targets
        return False
    loss = criterion.function if isinstance(criterion, OwnClassLoss) else "log_loss"
    is_module = isinstance(loss, torch.nn.Module)
    if is_module and next(loss.parameters(), None) is not None:  # which are trained
        return type(loss) is not type(estimator.loss)
    return not are_same(loss, estimator.loss)


def _has_other_device(estimator):
    if estimator.net_.device is None:
        return False
    former, present = map(torch.device, (estimator.net_.device, estimator.device))
    return (former.type, former.index or 0) != (present.type, present.index or 0)


_KEPT_BY_FIT = {
    "module": _is_patch_net_or_no_more,
    "image_shape": _has_other_image_shape,
    "tune_coder": is_tuned_otherwise,
    "coder": list_coder_changes,
}

_KEPT_BY_PARTIAL_FIT = {
    "module": _has_other_module,
    "module_params": _has_other_module_params,
    "hidden_layer_sizes": _has_other_sizes,
    "activation": _has_other_activation,
    "image_shape": _has_other_image_shape,
    "tune_coder": is_tuned_otherwise,
    "coder": list_coder_changes,
    "optimizer": _has_other_optimizer,
    "optimizer_params": _find_settings_that_stay,
    "loss": _has_other_loss,
    "device": _has_other_device,
}


def _take_last_batch(estimator, net):
    net.iterator_train__last_batch = estimator.last_batch


def _take_learning_rate(estimator, net):
    if net.lr != estimator.learning_rate:
        net.set_params(lr=estimator.learning_rate)
        for group in net.optimizer_.param_groups:
            group["lr"] *= group.get("share", 1.0)


def _take_settings(estimator, net):
    changes = _find_changed_settings(estimator, net)
    for group in net.optimizer_.param_groups:
        is_of_coder = "share" in group
        own = {"weight_decay"} if is_of_coder else set()
        group.update({name: changes[name] for name in changes.keys() - own})
        if "eps" in changes:
            group["eps"] /= group.get("unit", 1.0)
    if changes:
        former, present = vars(net), name_settings(estimator)
        groups = former.get(_GROUPS)  # of the coder as it was before its training
        for name in [name for name in former if name.startswith(_SETTING)]:
            delattr(net, name)
        former.update(present if groups is None else present | {_GROUPS: groups})


def _take_label_smoothing(estimator, net):
    former, present = (
        getattr(owner, "label_smoothing", 0) for owner in (net.criterion_, estimator)
    )
    if former != present:
        net.criterion = estimator._criterion
        net.criterion_ = net.criterion()


def _take_dropout(estimator, net):
    spec = _spec_of(net)
    if spec is None or spec.dropout == estimator.dropout:
        return
    spec = replace(spec, dropout=estimator.dropout)
    _set_share_dropped(net.module_, spec)
    net.module = spec.build


def _set_share_dropped(module, spec):
    if isinstance(module, CodedNetwork):
        module.dropout = spec.dropout
    spec.set_dropout(head_of(module))


def _take_reconstruction(estimator, net):
    if not isinstance(net.module_, CodedNetwork):
        return
    if net.module_.reconstruction != estimator.reconstruction:
        estimator._check_reconstructs()
        net.module_.reconstruction = estimator.reconstruction


def _check_group_lasso(estimator, net):
    spec = _spec_of(net)
    if estimator.group_lasso > 0 and spec is not None and spec.module is not None:
        check_first_layer(head_of(net.module_), spec.n_features, "group_lasso")


_TAKEN = {
    "last_batch": _take_last_batch,
    "learning_rate": _take_learning_rate,
    "weight_decay and optimizer_params": _take_settings,
    "label_smoothing": _take_label_smoothing,
    "dropout": _take_dropout,
    "reconstruction": _take_reconstruction,
    "group_lasso": _check_group_lasso,
}
