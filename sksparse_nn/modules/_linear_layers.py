"""The linear layers of a network: find them, see their input, replace them."""

from copy import deepcopy
from itertools import chain

import numpy as np
from torch import nn

from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._hooks import hooked
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._run import run

# Rows that go through a network at a time, and in all, to see what layers are given.
_BLOCK = 1024
_ROWS = 5000


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


def layer_inputs(module, X, n_rows=_ROWS):
    """Return what the linear layers of a network are given.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network; so many rows of it are taken at most.

    n_rows : int, default=5000
        How many rows.

    Returns
    -------
    inputs : list of ndarray of shape (at most n_rows, n_inputs)
        One a layer.

    Raises
    ------
    ValueError
        If a layer is never called.
    """
    seen = {layer: [] for layer in linear_layers(module)}

    def see(layer, given):
        seen[layer].append(given.cpu().numpy().copy())

    with hooked(seen, see, inputs=True):
        run(module, X[:n_rows], _BLOCK)
    for name, layer in module.named_modules():
        if not seen.get(layer, True):
            raise ValueError(
                f"Layer {name!r} of the network is never called, so what it is given "
                "is not known."
            )
    return [np.concatenate(parts) for parts in seen.values()]


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
