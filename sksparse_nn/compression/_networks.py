"""The network inside an estimator: check it, look at it, give it other layers."""

from copy import deepcopy
from itertools import chain

import numpy as np
import torch
from scipy import sparse
from torch import nn

from sksparse_nn._pipelines import last_step
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._quantized import (
    CompressedLinear,
    PrunedLinear,
    QuantizedLinear,
    dense_weight,
)
from sksparse_nn.neural._nesting import NETWORKS

# Rows that go through a network at a time, and in all, to see what layers are given.
_BLOCK = 1024
_ROWS = 5000

LINEAR = nn.Linear, CompressedLinear


def check_network(estimator, name):
    """Refuse what does not end in a network of this package.

    Parameters
    ----------
    estimator : estimator
        What a user wants to compress.

    name : str
        Of the compressor, for the error.

    Raises
    ------
    TypeError
        If there is no network at its end.
    """
    found = last_step(estimator)
    if not isinstance(found, NETWORKS):
        raise TypeError(
            f"{name} takes a SparseNetClassifier or SparseNetRegressor, or a Pipeline, "
            f"search or compressor that ends in one. Got {type(found).__name__}."
        )


def check_layers(module, name):
    """Refuse a network with weights that would be passed over.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Of the compressor, for the error.

    Raises
    ------
    TypeError
        If weights of two or more dimensions are in another layer than a linear one.
    """
    for place, layer in module.named_modules():
        own = layer.parameters(recurse=False)
        n_weights = sum(weight.numel() for weight in own if weight.ndim > 1)
        if n_weights and not isinstance(layer, LINEAR):
            raise TypeError(
                f"{name} makes linear layers smaller and would pass over "
                f"{type(layer).__name__} ({place!r} of the network), which has "
                f"{n_weights} weights. Give it a network of linear layers."
            )


def set_module(network, module, *, trains=False):
    """Give a fitted network estimator another module, in place, on its device.

    Parameters
    ----------
    network : SparseNetClassifier or SparseNetRegressor
        A copy that belongs to the caller.

    module : torch.nn.Module
        The new module.

    trains : bool, default=False
        Whether it will be trained on, for which it gets a new optimizer. Otherwise what
        training needs is dropped.
    """
    net = network.net_
    if any(isinstance(layer, CompressedLinear) for layer in module.modules()):
        net.device = "cpu"
    net.module_ = module.to(net.device).eval()
    if trains:
        net.initialize_optimizer()
    else:
        net.optimizer_ = None


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
    return [layer for layer in module.modules() if isinstance(layer, LINEAR)]


@torch.inference_mode()
def layer_inputs(module, X, n_rows=_ROWS):
    """Return what the linear layers of a network are given.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Input of the network; so many rows of it are taken at most.

    n_rows : int, default=5000
        How many rows.

    Returns
    -------
    inputs : list of ndarray of shape (at most n_rows, n_inputs)
        One a layer.
    """
    seen = {layer: [] for layer in linear_layers(module)}
    handles = [
        layer.register_forward_pre_hook(
            lambda layer, inputs: seen[layer].append(inputs[0].cpu().numpy().copy())
        )
        for layer in seen
    ]
    like, rows = next(module.parameters()), X[:n_rows]
    try:
        for start in range(0, rows.shape[0], _BLOCK):
            block = rows[start : start + _BLOCK]
            block = block.toarray() if sparse.issparse(block) else np.array(block)
            module(torch.from_numpy(block).to(like))
    finally:
        for handle in handles:
            handle.remove()
    for name, layer in module.named_modules():
        if not seen.get(layer, True):
            raise ValueError(
                f"Layer {name!r} of the network is never called, so what it is given "
                "is not known."
            )
    return [np.concatenate(parts) for parts in seen.values()]


def weighted_inputs(module, data):
    """Return what the linear layers are given, each row times the root of its weight.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    data : tuple
        Rows, their targets, and weights or None.

    Returns
    -------
    inputs : list of ndarray of shape (at most 5000, n_inputs)
        One a layer.
    """
    X, _, weight = data
    inputs = layer_inputs(module, X)
    if weight is None:
        return inputs
    roots = np.sqrt(weight[: len(inputs[0])])[:, None]
    return [(roots * part).astype(part.dtype) for part in inputs]


def with_layers(module, replace):
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
    if isinstance(module, LINEAR):
        layers = replace(module)
        return layers[0] if len(layers) == 1 else nn.Sequential(*layers)
    if isinstance(module, Perceptron):
        layers = [replace(x) if isinstance(x, LINEAR) else [x] for x in module]
        return Perceptron(*chain.from_iterable(layers))
    for name, child in module.named_children():
        setattr(module, name, _replaced(child, replace))
    return module


def trainable(module):
    """Return a copy of a network with plain linear layers only.

    Parameters
    ----------
    module : torch.nn.Module
        A network whose layers are plain or pruned.

    Returns
    -------
    module : torch.nn.Module
        Pruned weights are zeros in it.
    """

    def plain(layer):
        if not isinstance(layer, PrunedLinear):
            return [layer]
        return [linear(dense_weight(layer), layer.bias)]

    return with_layers(module, plain)


def linear(weight, bias):
    """Make a linear layer of given weights.

    Parameters
    ----------
    weight : ndarray of shape (n_neurons, n_features)
        Weights.

    bias : Tensor of shape (n_neurons,) or None
        Bias; None for a layer without.

    Returns
    -------
    layer : torch.nn.Linear
        With copies, on the processor.
    """
    weight = torch.from_numpy(np.array(weight, order="C"))
    layer = nn.Linear(1, 1, bias=bias is not None)
    layer.out_features, layer.in_features = weight.shape
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().cpu().clone())
    return layer


def refuse_quantized(module, name):
    """Refuse a network of integers, which cannot be changed further.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Of the compressor, for the error.

    Raises
    ------
    ValueError
        If a layer is quantized.
    """
    if any(isinstance(layer, QuantizedLinear) for layer in linear_layers(module)):
        raise ValueError(
            f"{name} cannot change integers. Got a quantized network; put NetQuantizer "
            f"outermost: NetQuantizer({name}(...))."
        )
