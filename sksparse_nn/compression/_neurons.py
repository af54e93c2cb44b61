"""Removal of hidden neurons."""

from itertools import pairwise

import numpy as np
import torch

from sksparse_nn.compression._atoms import check_sequence, remove_atoms
from sksparse_nn.compression._refit import refit_layers, score_neurons
from sksparse_nn.compression._samples import choose_samples
from sksparse_nn.modules._coded import CodedNetwork
from sksparse_nn.modules._coding import has_atoms
from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._linear import linear
from sksparse_nn.modules._linear_layers import read_layer_inputs
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.solvers.layers import choose_inputs, choose_neurons


def remove_neurons(module, scores, amount, n_neurons, data, *, refit):
    """Remove the least important hidden neurons of a network.

    Atoms of a layer of codes are neurons. The mean output of a removed neuron is added
    to the bias of the next layer.

    Parameters
    ----------
    module : Perceptron, CodedNetwork or torch.nn.Sequential
        A network of plain layers; a sequence has a layer of codes.

    scores : list of ndarray or None
        Importance of each weight, one matrix per layer. None to keep the neurons that
        the outputs of the next layers need most.

    amount : float
        Share of the original neurons to remove in all.

    n_neurons : list of int
        Original number of neurons per layer.

    data : tuple
        Samples for the outputs, targets, and weights or None.

    refit : bool
        Whether to solve the weights of the next layers again, for the outputs that they
        had.

    Returns
    -------
    module : Perceptron, CodedNetwork or torch.nn.Sequential
        The narrower network.

    Raises
    ------
    ValueError
        If there are no hidden layers, or the module is the user's own.
    """
    X, _, weight = data
    sequence = module.as_sequence() if isinstance(module, CodedNetwork) else None
    if sequence is not None:
        narrower = remove_neurons(
            sequence, scores, amount, n_neurons, data, refit=refit
        )
        return module.with_sequence(narrower)
    if any(map(has_atoms, module.modules())):
        check_sequence(module, X)
        kept = _choose_kept(module, scores, amount, n_neurons, data)
        narrower = remove_atoms(module, kept, X, weight)
        if refit:
            refit_layers(narrower, module, kept, X, weight)
        return narrower
    if not isinstance(module, Perceptron):
        raise ValueError(
            "structure='neuron' needs a network of hidden_layer_sizes. Got a module of "
            "your own; use structure='channel', for its linear layers too."
        )
    linears = [layer for layer in module if is_linear(layer)]
    if len(linears) == 1:
        raise ValueError(
            "structure='neuron' needs hidden layers. Got hidden_layer_sizes=(); use "
            "structure='weight'."
        )
    kept = _choose_kept(module, scores, amount, n_neurons, data)
    narrower = _build_narrower(module, [*kept, None], _mean_inputs(module, X, weight))
    if refit:
        refit_layers(narrower, module, kept, X, weight)
    return narrower


def _mean_inputs(module, X, sample_weight):
    """Return the mean input of each linear layer."""
    X, weight = choose_samples(X, sample_weight)
    return [
        np.average(part, axis=0, weights=weight).astype(part.dtype)
        for part in read_layer_inputs(module, X)
    ]


def _choose_kept(module, scores, amount, n_neurons, data):
    """Choose the neurons to keep of all layers but the last."""
    n_wanted = round((1 - amount) * sum(n_neurons[:-1]))
    if scores is not None:
        costs, choose = _combine_weights(scores), choose_neurons
    else:
        costs, choose = score_neurons(module, data[0], data[2]), choose_inputs
    n_now = sum(map(len, costs))
    return choose(costs, max(1 - n_wanted / n_now, 0.0))


def _combine_weights(scores):
    """Score each hidden neuron by the norms of its incoming and outgoing weights."""
    return [
        np.linalg.norm(into, axis=1) * np.linalg.norm(out, axis=0)
        for into, out in pairwise(scores)
    ]


def _build_narrower(module, kept, means):
    layers, before, position = [], None, 0
    for layer in module:
        if not is_linear(layer):
            layers.append(layer)
            continue
        weight, bias = layer.weight.detach().cpu(), layer.bias
        bias = None if bias is None else bias.detach().cpu().clone()
        if before is not None:
            gone = np.setdiff1d(np.arange(weight.shape[1]), before)
            if bias is not None:
                bias += weight[:, gone] @ torch.from_numpy(means[position][gone])
            weight = weight[:, before]
        rows = kept[position]
        if rows is not None:
            weight, bias = weight[rows], None if bias is None else bias[rows]
        layers.append(linear(weight.numpy(), bias))
        before, position = rows, position + 1
    return Perceptron(*layers)
