"""Batch normalisation that becomes part of the layer ahead of it."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn
from torch.nn.utils import fusion

from sksparse_nn.modules._facts import make_plain, prune, traits
from sksparse_nn.modules._hooks import watch_layers
from sksparse_nn.modules._linear_layers import (
    multiplies_by_weights,
    replace_one,
    select_layers,
)
from sksparse_nn.modules._run import run

_BatchNorm = nn.modules.batchnorm._BatchNorm

# Samples to run, and the largest change of an output, in units of the largest output.
_ROWS, _CHANGE = 64, 1e-4


def fold_batch_norms(module, X):
    """Make batch normalisation part of the linear layers and convolutions ahead of it.

    A pair is found by what flows between its layers for some samples. It is folded if
    the outputs of the network for these stay as they are.

    Parameters
    ----------
    module : torch.nn.Module
        A network on the CPU, which is not trained any more.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network, of which up to 64 samples are read.

    Returns
    -------
    module : torch.nn.Module
        The network itself, or a copy with ``torch.nn.Identity`` in place of what was
        folded.
    """
    rows = X[:_ROWS]
    expected = _outputs(module, rows)
    for layer_name, norm_name in _find_pairs(module, rows):
        folded = _fold(module, layer_name, norm_name)
        if _are_close(_outputs(folded, rows), expected):
            module = folded
    return module


def _find_pairs(module, rows):
    """Return the names of layers that run once, and of the norms that read them."""
    sources, inputs, n_runs = {}, {}, {}
    layers = select_layers(module, _can_be_folded)
    norms = select_layers(module, _is_fixed_norm)

    def see_output(layer, output):
        n_runs[layer] = n_runs.get(layer, 0) + 1
        sources[id(output)] = layer, output  # kept, so that its id stays its own

    def see_input(norm, given):
        n_runs[norm] = n_runs.get(norm, 0) + 1
        inputs[norm] = given

    with watch_layers(layers, see_output), watch_layers(norms, see_input, inputs=True):
        _outputs(module, rows)
    names = {layer: name for name, layer in module.named_modules()}
    pairs = [
        (sources[id(given)][0], norm)
        for norm, given in inputs.items()
        if id(given) in sources
    ]
    return [
        (names[layer], names[norm])
        for layer, norm in pairs
        if n_runs[layer] == n_runs[norm] == 1
    ]


def _outputs(module, rows):
    """Return all numbers that a network puts out; it may return several tensors."""
    outputs = run(module, rows, _ROWS, use=next)
    parts = outputs if isinstance(outputs, list | tuple) else [outputs]
    tensors = [part for part in parts if isinstance(part, torch.Tensor)]
    return np.concatenate([part.numpy().ravel() for part in tensors])


def _are_close(outputs, expected):
    largest = abs(expected).max(initial=0)
    return abs(outputs - expected).max(initial=0) <= _CHANGE * largest


def _can_be_folded(layer):
    return (
        multiplies_by_weights(layer)
        and not traits(layer).holds_integers
        and not _has_hooks(layer)
    )


def _is_fixed_norm(layer):
    is_norm = isinstance(layer, _BatchNorm) and layer.running_var is not None
    return is_norm and not _has_hooks(layer)


def _has_hooks(layer):
    return bool(layer._forward_hooks or layer._forward_pre_hooks)


@torch.no_grad()
def _fold(module, layer_name, norm_name):
    module = deepcopy(module)
    layer, norm = map(module.get_submodule, (layer_name, norm_name))
    plain = make_plain(layer)
    is_linear = isinstance(plain, nn.Linear)
    fuse = fusion.fuse_linear_bn_weights if is_linear else fusion.fuse_conv_bn_weights
    plain.weight, plain.bias = fuse(
        plain.weight,
        plain.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    new = prune(plain) if traits(layer).keeps_zeros else plain
    if new is not layer:
        replace_one(module, layer, new)
    replace_one(module, norm, nn.Identity())
    return module
