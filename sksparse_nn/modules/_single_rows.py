"""Batches of a single sample, which have no variance to normalise by."""

from contextlib import contextmanager

import torch
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from sksparse_nn.modules._outputs import cast_output

# Parameters of the functions that normalise a batch, in order.
_STATISTICS_FIRST = "input running_mean running_var weight bias training momentum eps"
_STATISTICS_LAST = "input weight bias running_mean running_var training momentum eps"
_ORDERS = {
    functional.batch_norm: _STATISTICS_FIRST.split(),
    torch.batch_norm: [*_STATISTICS_LAST.split(), "cudnn_enabled"],
    torch.native_batch_norm: _STATISTICS_LAST.split(),
}


@contextmanager
def use_known_statistics(module):
    """Let layers that normalise a batch use running statistics where they must.

    That is where a channel has a single value. It is normalised as in evaluation mode,
    by the running mean and variance, which do not change. The same holds for functions
    of torch that a module calls directly.

    Parameters
    ----------
    module : torch.nn.Module
        In training.
    """
    layers = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    layers = [layer for layer in layers if layer.training]
    hooks = [layer.register_forward_pre_hook(_choose_statistics) for layer in layers]
    try:
        with _SingleValues():
            yield
    finally:
        for hook in hooks:
            hook.remove()
        for layer in layers:
            layer.train()


def apply_module(module, rows):
    """Run a module, also on a single sample.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.

    rows : Tensor or SparseBatch of shape (n_rows, n_features)
        Input of the module.

    Returns
    -------
    output : Tensor of shape (n_rows, n_outputs)
        Its output, in the float type of its parameters.

    Raises
    ------
    ValueError
        If it normalises by the samples of a batch and there is only one.
    """
    return cast_output(module, _apply(module, rows))


def _apply(module, rows):
    if len(rows) != 1 or not isinstance(rows, torch.Tensor):
        return module(rows)
    spare = rows.clone()  # a module may work in place
    try:
        return module(rows)
    except ValueError:
        with _SingleValues():
            return module(spare)


def _choose_statistics(layer, inputs):
    layer.train(not _is_single(inputs[0]))


def _is_single(values):
    """Return whether each channel has one value."""
    return values.numel() <= values.shape[1]


class _SingleValues(TorchFunctionMode):
    """Let functions of torch normalise single values by running statistics."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is functional.group_norm:
            # It rejects a single sample; this is what it calls for several.
            return torch.group_norm(*args, **kwargs)
        if func in _ORDERS:
            given = dict(zip(_ORDERS[func], args, strict=False)) | kwargs
            args, kwargs = (), _without_batch(given)
        return func(*args, **kwargs)


def _without_batch(given):
    """Return arguments that normalise single values by running statistics."""
    if not given.get("training") or not _is_single(given["input"]):
        return given
    if given.get("running_mean") is None or given.get("running_var") is None:
        raise ValueError(
            "module normalises by the rows of a batch and keeps no running mean and "
            "variance, so it needs more than one row. Got a batch of one; give more "
            "rows and a larger batch_size, or keep them, as nn.BatchNorm1d does."
        )
    return given | {"training": False}
