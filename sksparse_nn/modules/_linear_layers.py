"""The layers of a network that have a matrix: find, watch and replace them."""

from copy import deepcopy
from itertools import chain

import numpy as np
from torch import nn

from sksparse_nn.modules._coding import CodingLayer, has_atoms
from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._hooks import watch_layers
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._run import run

# Samples per block, and in total, to record the input of layers.
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


def matrix_layers(module):
    """List the linear layers and the layers of codes of a network.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    Returns
    -------
    layers : list of torch.nn.Module
        In the order of the module.
    """
    return [layer for layer in module.modules() if has_matrix(layer)]


def has_matrix(layer):
    """Return whether a layer is linear or codes by atoms, stored in any form.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    has_matrix : bool
        Whether `replace_layers` replaces it.
    """
    return is_linear(layer) or has_atoms(layer)


def trained_weight(layer):
    """Return the weights of a layer that is trained, or its atoms.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain layer of a matrix.

    Returns
    -------
    weight : torch.nn.Parameter of shape (n_rows, n_features)
        A row per neuron or atom.
    """
    return layer.atoms if isinstance(layer, CodingLayer) else layer.weight


def row_scales(layer):
    """Return what a layer divides its weights by.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain layer of a matrix.

    Returns
    -------
    scales : ndarray of shape (n_rows, 1) or float
        The norms of atoms where only their directions count, 1.0 elsewhere.
    """
    return layer.row_scales() if isinstance(layer, CodingLayer) else 1.0


def layer_inputs(module, X, n_rows=_ROWS):
    """Return the input of each linear layer of a network.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network, of which the first `n_rows` are used.

    n_rows : int, default=5000
        Largest number of samples to use.

    Returns
    -------
    inputs : list of ndarray of shape (at most n_rows, n_inputs)
        One per layer.

    Raises
    ------
    ValueError
        If a layer is never called.
    """
    seen = {layer: [] for layer in linear_layers(module)}

    def see(layer, given):
        seen[layer].append(given.cpu().numpy().copy())

    with watch_layers(seen, see, inputs=True):
        run(module, X[:n_rows], _BLOCK)
    for name, layer in module.named_modules():
        if not seen.get(layer, True):
            raise ValueError(
                f"Layer {name!r} of the network is never called, so its input "
                "is not known."
            )
    return [np.concatenate(parts) for parts in seen.values()]


def replace_layers(module, replace):
    """Return a copy of a network with other linear layers and layers of codes.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    replace : callable
        Takes a layer of a matrix, returns the list of layers to put in its place.

    Returns
    -------
    module : torch.nn.Module
        A copy; the layers of the package's own networks stay in one sequence.
    """
    return _replace(deepcopy(module), replace)


def _replace(module, replace):
    if has_matrix(module):
        layers = replace(module)
        return layers[0] if len(layers) == 1 else nn.Sequential(*layers)
    if isinstance(module, Perceptron):
        layers = [replace(x) if has_matrix(x) else [x] for x in module]
        del module[:]
        return module.extend(chain.from_iterable(layers))
    for name, child in module.named_children():
        setattr(module, name, _replace(child, replace))
    return module
