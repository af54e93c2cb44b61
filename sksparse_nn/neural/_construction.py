"""Make a skorch net of an estimator's parameters, new or continuing a former one."""

from copy import deepcopy
from functools import partial

import torch
from skorch.callbacks import EarlyStopping

from sksparse_nn.neural._batches import BatchIterator, Samples
from sksparse_nn.neural._modules import ModuleSpec, check_first_layer
from sksparse_nn.neural._optimizers import make_optimizer
from sksparse_nn.neural._progress import ProgressLine
from sksparse_nn.neural._proximal import ProximalStep
from sksparse_nn.neural._sparse_input import is_thin


def new_net(estimator, net_class, *, X, device):
    """Build a net with new weights.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Its parameters say what to build, ``n_features_in_`` and ``n_outputs_`` how
        wide.

    net_class : type
        `ClassifierNet` or `RegressorNet`.

    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Input, which gives the weights their float type.

    device : torch.device
        Where to train.

    Returns
    -------
    net : Net
        Ready to train; its weights are drawn from torch's global generator.
    """
    spec = ModuleSpec(
        estimator.module,
        estimator.hidden_layer_sizes,
        estimator.activation,
        estimator.dropout,
        n_features=estimator.n_features_in_,
        n_outputs=estimator.n_outputs_,
        dtype=getattr(torch, X.dtype.name),
        by_feature=_may_lie_by_feature(estimator, device) and is_thin(X),
    )
    net = net_class(
        spec.build,
        partial(net_class.loss, **estimator._loss_parameters),
        optimizer=make_optimizer(estimator.optimizer, device),
        optimizer__weight_decay=estimator.weight_decay,
        lr=estimator.learning_rate,
        max_epochs=estimator.max_epochs,
        batch_size=estimator.batch_size,
        iterator_train=BatchIterator,
        iterator_valid=BatchIterator,
        dataset=Samples,
        train_split=None,
        predict_nonlinearity=net_class.nonlinearity,
        verbose=estimator.verbose,
        device=str(device),
    ).initialize()
    if estimator.group_lasso > 0:
        check_first_layer(net.module_, estimator.n_features_in_, "group_lasso")
    return net


def _may_lie_by_feature(estimator, device):
    # Optimizers of the user's own may want weights to lie in rows, as L-BFGS does.
    return device.type == "cpu" and isinstance(estimator.optimizer, str)


def take_over(net, former):
    """Put a former net's weights and history into a new one.

    Parameters
    ----------
    net : Net
        Overwritten.

    former : Net
        Left as it is.

    Raises
    ------
    ValueError
        If the layers differ.
    """
    try:
        net.module_.load_state_dict(former.module_.state_dict())
    except RuntimeError as error:
        raise ValueError(
            "warm_start=True continues the former network, so hidden_layer_sizes, "
            "module and the number of outputs must stay as they were. Got others: "
            f"{error} Set warm_start=False to start anew."
        ) from error
    net.history.extend(former.history)


def training_callbacks(estimator, *, stop_early):
    """List the callbacks of a training in the order in which they are to run.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Whose parameters ask for them.

    stop_early : bool
        Whether a part is held out.

    Returns
    -------
    callbacks : list of tuple
        Names and callbacks, the user's as they were given.
    """
    callbacks = []
    if estimator.l1 > 0 or estimator.group_lasso > 0:
        step = ProximalStep(estimator.l1, estimator.group_lasso)
        callbacks.append(("proximal_step", step))
    callbacks += _checked(estimator.callbacks or [])
    if estimator.verbose:
        callbacks.append(("progress", ProgressLine()))
    if stop_early:
        # The last, since it interrupts those behind it.
        callbacks.append(("early_stopping", _best_epoch(estimator.n_iter_no_change)))
    return callbacks


def _best_epoch(patience):
    return EarlyStopping("valid_loss", patience=patience, threshold=0, load_best=True)


def _checked(callbacks):
    for item in callbacks:
        callback = item[-1] if isinstance(item, (tuple, list)) else item
        if not hasattr(callback, "on_epoch_end"):
            raise ValueError(
                "callbacks must hold skorch callbacks, or pairs of a name and one. "
                f"Got {item!r}."
            )
    return list(callbacks)


def resumed(former, *, learning_rate):
    """Copy a net to train it on, its optimizer's state included.

    Parameters
    ----------
    former : Net
        Left as it is.

    learning_rate : float
        Step size from now on, if it is not the one that the net was made with.

    Returns
    -------
    net : Net
        A copy.

    Raises
    ------
    ValueError
        If the net has no optimizer any more.
    """
    if former.optimizer_ is None:
        raise ValueError(
            "partial_fit goes on with the optimizer's state. Got a network that was "
            "made smaller or only for prediction, which has none; train the one that "
            "it was made of."
        )
    net = deepcopy(former)
    if net.lr != learning_rate:
        net.set_params(lr=learning_rate)
    return net
