"""Which channels of a plain sequence of layers go together."""

import numpy as np
from torch import nn

from sksparse_nn.compression._couplings import ChannelGraph, has_channels
from sksparse_nn.modules._facts import is_convolution
from sksparse_nn.modules._linear_layers import multiplies_by_weights

# Layers that treat each channel by itself, whatever the shape.
_BY_CHANNEL = {
    *(nn.Identity, nn.Dropout, nn.AlphaDropout, nn.FeatureAlphaDropout),
    *(nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.Upsample, nn.PReLU),
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU),
    *(nn.SiLU, nn.Mish, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Tanhshrink),
    *(nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Hardshrink, nn.Softshrink),
    *(nn.Softplus, nn.Softsign, nn.Threshold),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.LPPool1d, nn.LPPool2d),
    *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
    *(nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d, nn.ReflectionPad1d),
    *(nn.ReflectionPad2d, nn.ReflectionPad3d, nn.ReplicationPad1d),
    *(nn.ReplicationPad2d, nn.ReplicationPad3d, nn.CircularPad1d),
    *(nn.CircularPad2d, nn.CircularPad3d),
}


def couple_sequence(module):
    """Find the channels that go together in a sequence of layers.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    Returns
    -------
    couplings : Couplings or None
        None if the module is no ``torch.nn.Sequential``, nested or not, of layers that
        are known to keep channels apart. Those ahead of the first layer of weights and
        behind the last are free.
    """
    layers = list(_leaves(module, ""))
    places = [i for i, (_, layer) in enumerate(layers) if multiplies_by_weights(layer)]
    if not places:
        return None
    layers = layers[places[0] : places[-1] + 1]
    kept = [id(layer) for _, layer in layers if has_channels(layer)]
    if len(set(kept)) < len(kept):
        return None  # one layer in several places
    graph, before = ChannelGraph(module), None
    for name, layer in layers:
        before = _follow(graph, before, name, layer)
        if before is None:
            return None
    return graph.couplings()


def _follow(graph, before, name, layer):
    """Link a layer to that before; return where channels come from, and their form.

    The form says whether they are numbers of a row. None if the layer is not known.
    """
    if multiplies_by_weights(layer):
        is_flat = not is_convolution(layer)
        is_right = before is None or (
            is_flat == before[1] and _link(graph, before[0], (name, "inputs"))
        )
        return ((name, "outputs"), is_flat) if is_right else None
    if has_channels(layer):
        is_right = not isinstance(layer, nn.LayerNorm) and _link(
            graph, before[0], (name, "outputs")
        )
        return before if is_right else None
    if type(layer) is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1):
        return before[0], True
    return before if type(layer) in _BY_CHANNEL else None


def _leaves(module, prefix):
    if type(module) is not nn.Sequential:
        yield prefix[:-1], module
        return
    for name, child in module._modules.items():
        yield from _leaves(child, f"{prefix}{name}.")


def _link(graph, before, behind):
    """Link each channel to its numbers behind; return whether they come out even."""
    n_channels, width = graph.width(before), graph.width(behind)
    if width % n_channels:
        return False
    numbers = np.arange(width)
    graph.link(before, numbers // (width // n_channels), behind, numbers)
    return True
