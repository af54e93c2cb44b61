"""Batches of a single row, which has no mean and variance to be normalised by."""

from contextlib import contextmanager

from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def known_statistics(module):
    """Let layers that normalise a batch take what they know, where they must.

    That is where a channel has a single value. They normalise it as in a prediction, by
    the running mean and variance, which stay as they are.

    Parameters
    ----------
    module : torch.nn.Module
        In training.
    """
    layers = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    layers = [layer for layer in layers if layer.training]
    hooks = [layer.register_forward_pre_hook(_choose_statistics) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for layer in layers:
            layer.train()


def _choose_statistics(layer, inputs):
    values = inputs[0]
    layer.train(values.numel() > values.shape[1])
