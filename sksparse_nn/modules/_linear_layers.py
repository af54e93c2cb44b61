"""The linear layers of a network: find them, put others in their place."""

from copy import deepcopy
from itertools import chain

from torch import nn

from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._perceptron import Perceptron


def linear_layers(module):
    """List the linear layers of a network, plain or compressed.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    Returns
    -------
    layers : list of torch.nn.Module
        In the order of the module.
    """
    return [layer for layer in module.modules() if is_linear(layer)]


def replace_layers(module, replace):
    """Return a copy of a network with other linear layers.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    replace : callable
        Takes a linear layer, returns a list of the layers in its place.

    Returns
    -------
    module : torch.nn.Module
        A copy; the layers of the package's own networks stay in one sequence.
    """
    return _replaced(deepcopy(module), replace)


def _replaced(module, replace):
    if is_linear(module):
        layers = replace(module)
        return layers[0] if len(layers) == 1 else nn.Sequential(*layers)
    if isinstance(module, Perceptron):
        layers = [replace(x) if is_linear(x) else [x] for x in module]
        del module[:]
        return module.extend(chain.from_iterable(layers))
    for name, child in module.named_children():
        setattr(module, name, _replaced(child, replace))
    return module
