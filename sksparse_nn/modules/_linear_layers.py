"""The layers of a network that have a matrix: find, watch and replace them."""

from copy import deepcopy
from itertools import chain

import numpy as np
from torch import nn

from sksparse_nn.modules._coding import CodingLayer, has_atoms
from sksparse_nn.modules._facts import is_convolution, is_linear
from sksparse_nn.modules._hooks import watch_layers
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._run import run

# Samples per block to record the input of layers; convolutions have many positions per
# sample.
_BLOCK, _IMAGES = 1024, 64


def select_layers(module, holds):
    """List the layers of a network of which something holds.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    holds : callable
        Takes a layer: `is_linear`, `multiplies_by_weights` or `has_matrix`.

    Returns
    -------
    layers : list of torch.nn.Module
        In the order of the module.
    """
    return [layer for layer in module.modules() if holds(layer)]


def multiplies_by_weights(layer):
    """Return whether a layer is linear or a convolution, stored in any form.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    multiplies_by_weights : bool
        Whether it multiplies by a matrix of weights.
    """
    return is_linear(layer) or is_convolution(layer)


def has_matrix(layer):
    """Return whether a layer has weights or codes by atoms, stored in any form.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    has_matrix : bool
        Whether `replace_layers` replaces it.
    """
    return multiplies_by_weights(layer) or has_atoms(layer)


def trained_weight(layer):
    """Return the weights of a layer that is trained, or its atoms.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain layer of a matrix.

    Returns
    -------
    weight : torch.nn.Parameter of shape (n_rows, ...)
        A row per neuron, output channel or atom.
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


def read_layer_inputs(module, X):
    """Return the input of each linear layer of a network.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network.

    Returns
    -------
    inputs : list of ndarray of shape (n_samples, n_inputs)
        One per layer.

    Raises
    ------
    ValueError
        If a layer is never called.
    """
    seen = {layer: [] for layer in select_layers(module, is_linear)}

    def see(layer, given, which):
        seen[layer].append(given.cpu().numpy().copy())

    watch_inputs(module, seen, X, see)
    return [np.concatenate(parts) for parts in seen.values()]


def watch_inputs(module, layers, X, see):
    """Run samples through a network and look at the inputs of layers.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    layers : collection of torch.nn.Module
        Some of its layers.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network.

    see : callable
        Takes a layer, its input for some samples, and the slice of these samples.

    Raises
    ------
    ValueError
        If a layer is never called.
    """
    called = set()
    size = _IMAGES if any(map(is_convolution, module.modules())) else _BLOCK
    for start in range(0, X.shape[0], size):
        which = slice(start, min(start + size, X.shape[0]))

        def note(layer, given, which=which):
            called.add(layer)
            see(layer, given, which)

        with watch_layers(layers, note, inputs=True):
            run(module, X[which], size)
    for name, layer in module.named_modules():
        if layer in layers and layer not in called:
            raise ValueError(
                f"Layer {name!r} of the network is never called, so its input "
                "is not known."
            )


def replace_layers(module, replace):
    """Return a copy of a network with other layers in place of those of a matrix.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    replace : callable
        Takes a layer of a matrix, returns the list of layers to put in its place.

    Returns
    -------
    module : torch.nn.Module
        A copy; the layers of the package's own networks stay in one sequence, and a
        layer in several places stays one.
    """
    return _replace(deepcopy(module), replace, {})


def replace_one(module, old, new):
    """Replace a layer of a network wherever it stands.

    Parameters
    ----------
    module : torch.nn.Module
        A network that belongs to the caller.

    old : torch.nn.Module
        A layer of it, whose hooks are handed on.

    new : torch.nn.Module
        What takes its place.

    Returns
    -------
    module : torch.nn.Module
        The network itself, changed in place, or the new layer if it is the old one.
    """
    _with_hooks(old, [new])
    for part in list(module.modules()):
        for name, child in part._modules.items():
            if child is old:
                setattr(part, name, new)
    return new if module is old else module


def _replace(module, replace, done):
    if module not in done:
        done[module] = module
        done[module] = _replace_new(module, replace, done)
    return done[module]


def _replace_new(module, replace, done):
    if has_matrix(module):
        layers = _with_hooks(module, replace(module))
        return layers[0] if len(layers) == 1 else nn.Sequential(*layers)
    if isinstance(module, Perceptron):
        layers = [_with_hooks(x, replace(x)) if has_matrix(x) else [x] for x in module]
        del module[:]
        return module.extend(chain.from_iterable(layers))
    for name, child in module._modules.items():
        if child is not None:
            setattr(module, name, _replace(child, replace, done))
    return module


def _with_hooks(layer, layers):
    """Give the hooks of a layer to the first and the last of those in its place."""
    for new, kind in (
        (layers[0], "_forward_pre_hooks"),
        (layers[-1], "_forward_hooks"),
    ):
        if new is layer:
            continue
        for name, hooks in vars(layer).items():
            if name.startswith(kind):
                vars(new)[name].update(hooks)
    return layers
