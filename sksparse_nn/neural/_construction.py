"""Make a skorch net from the parameters of an estimator."""

from functools import partial

import numpy as np
import torch

from sksparse_nn._early_stopping import Patience
from sksparse_nn.modules._first_layer import check_first_layer
from sksparse_nn.modules._networks import NETWORKS
from sksparse_nn.modules._sparse_input import is_thin
from sksparse_nn.modules._spec import ModuleSpec
from sksparse_nn.neural._batches import BatchIterator, TrainingSamples
from sksparse_nn.neural._callbacks import find_input_widths
from sksparse_nn.neural._coder import build_coded, head_of, n_codes
from sksparse_nn.neural._coder_rates import list_groups
from sksparse_nn.neural._early_stopping import LowestLoss
from sksparse_nn.neural._epoch_tasks import StopWhenAsked
from sksparse_nn.neural._held_sparsity import HoldSparsity
from sksparse_nn.neural._images import make_input
from sksparse_nn.neural._optimizers import check_settings, make_optimizer, takes_groups
from sksparse_nn.neural._patch_net import build_patch_net
from sksparse_nn.neural._progress import ProgressLine
from sksparse_nn.neural._proximal import ProximalStep
from sksparse_nn.neural._schedule import make_schedule


def make_net(estimator, samples, *, batch_size, device):
    """Build a net with new weights.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Its parameters describe the net; ``n_features_in_`` and ``n_outputs_`` are its
        widths.

    samples : TrainingSamples
        Training samples, which determine the float type of the weights.

    batch_size : int
        Samples per mini-batch.

    device : torch.device
        Where to train.

    Returns
    -------
    net : Net
        Ready to train; its weights are drawn from torch's global generator.

    Raises
    ------
    ValueError
        If the module or the optimizer cannot be made.
    """
    X, net_class = samples.matrix, estimator._net_class
    is_tuned = estimator._is_tuned
    width = n_codes(estimator.coder_) if is_tuned else X.shape[1]
    may_lie_by_feature = _may_lie_by_feature(estimator, device)
    images = _make_images(estimator, samples)
    spec = ModuleSpec(
        read_module(estimator),
        dict(estimator.module_params or {}),
        find_input_widths(estimator.callbacks, np.empty((1, width))),
        estimator.hidden_layer_sizes,
        estimator.activation,
        estimator.dropout,
        n_features=width,
        n_outputs=estimator.n_outputs_,
        dtype=torch.float32 if X.dtype == np.uint8 else getattr(torch, X.dtype.name),
        by_feature=may_lie_by_feature and is_thin(X) and not (is_tuned or images),
        squashed=net_class.nonlinearity is not None,
        images=images,
        any_order=isinstance(estimator.optimizer, str),
    )
    build = spec.build
    if is_tuned:
        behind = build_patch_net if estimator._has_patch_net else build_coded
        build = partial(behind, spec, estimator, samples)
    net = net_class(
        build,
        estimator._criterion,
        optimizer=make_optimizer(estimator.optimizer, device),
        lr=estimator.learning_rate,
        max_epochs=estimator.max_epochs,
        batch_size=batch_size,
        iterator_train=BatchIterator,
        iterator_train__last_batch=estimator.last_batch,
        iterator_valid=BatchIterator,
        iterator_valid__shuffles=False,
        dataset=TrainingSamples,
        train_split=None,
        predict_nonlinearity=net_class.nonlinearity,
        verbose=estimator.verbose,
        device=str(device),
        **name_settings(estimator),
    ).initialize()
    net.module = spec.build  # without the samples
    if estimator.group_lasso > 0:
        check_first_layer(head_of(net.module_), width, "group_lasso")
    return net


def _make_images(estimator, samples):
    """Return the layer that makes images, if the network takes the samples as such."""
    shape = vars(estimator).get("image_shape_")
    if shape is None or estimator.coder is not None or estimator._has_patch_net:
        return None
    return make_input(samples, shape, flat=estimator.module is None)


def read_module(estimator):
    """Return the module of an estimator, where its name stands for a class.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        With parameters that are valid.

    Returns
    -------
    module : None, "patch_net", torch.nn.Module or callable
        As a description of the module holds it.
    """
    module = estimator.module
    is_name = isinstance(module, str) and not estimator._is_tuned
    return NETWORKS.get(module, module) if is_name else module


def name_settings(estimator):
    """Return the settings of the optimizer by their names in skorch.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        With parameters that are valid.

    Returns
    -------
    settings : dict
        All but the learning rate.

    Raises
    ------
    ValueError
        If the optimizer rejects one.
    """
    settings = check_settings(
        estimator.optimizer, estimator.weight_decay, estimator.optimizer_params
    )
    is_trained = estimator._is_tuned and estimator.tune_coder
    if is_trained and takes_groups(estimator.optimizer, settings):
        settings["param_groups"] = list_groups(estimator, settings)
    return {f"optimizer__{name}": value for name, value in settings.items()}


def _may_lie_by_feature(estimator, device):
    # Optimizers of the user may need contiguous weights, as L-BFGS does.
    return device.type == "cpu" and isinstance(estimator.optimizer, str)


def make_callbacks(estimator, *, n_epochs, stop_by, tasks=None):
    """Make the list of callbacks of a training, in the order in which they run.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Its parameters determine the callbacks.

    n_epochs : int or None
        Epochs of the learning rate schedule; None for no schedule.

    stop_by : {"valid_loss", "train_loss"} or None
        The loss that early stopping monitors; None for no early stopping.

    tasks : EpochTasks or None, default=None
        Begins and ends a task with each epoch.

    Returns
    -------
    callbacks : list of tuple
        Names and callbacks; those of the user are not copied.
    """
    callbacks = []
    if estimator.l1 > 0 or estimator.group_lasso > 0:
        step = ProximalStep(estimator.l1, estimator.group_lasso)
        callbacks.append(("proximal_step", step))
    callbacks += _check_callbacks(estimator.callbacks or [])
    if n_epochs is not None and estimator.scheduler is not None:
        schedule = make_schedule(estimator.scheduler, n_epochs)
        callbacks.append(("scheduler", schedule))
    n_active = getattr(vars(estimator).get("coder_"), "n_active", None)
    if estimator._is_tuned and n_active is not None:
        callbacks.append(("sparsity", HoldSparsity(n_active)))
    if estimator.verbose:
        callbacks.append(("progress", ProgressLine(type(estimator).__name__)))
    if tasks:
        callbacks.append(("tasks", tasks))
    if stop_by is not None:
        # Behind most others, because it interrupts the callbacks after it.
        patience = Patience(estimator.n_iter_no_change, estimator.tol)
        callbacks.append(("early_stopping", LowestLoss(stop_by, patience)))
    if tasks:
        callbacks.append(("stop_when_asked", StopWhenAsked(tasks)))
    return callbacks


def _check_callbacks(callbacks):
    for item in callbacks:
        callback = item[-1] if isinstance(item, (tuple, list)) else item
        if not hasattr(callback, "on_epoch_end"):
            raise ValueError(
                "callbacks must hold skorch callbacks, or pairs of a name and one. "
                f"Got {item!r}."
            )
    return list(callbacks)
