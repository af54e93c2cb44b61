"""Which weights, or which neurons, a network can do without."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Criterion:
    """What makes a weight matter.

    Attributes
    ----------
    score : callable
        Gives the scores of a matrix of weights and the gradient of the loss.

    across_layers : callable
        Gives numbers from the scores of a layer that those of other layers can be
        ranked with.
    """

    score: Callable
    across_layers: Callable


def _magnitude(weight, gradient):
    return np.abs(weight)


def _first_order(weight, gradient):
    return np.abs(weight * gradient)


def _as_they_are(scores):
    return scores


def _share_of_the_rest(scores):
    """Divide each square by the sum of those that are not smaller.

    J. Lee, S. Park, S. Mo, S. Ahn, J. Shin, "Layer-adaptive Sparsity for the
    Magnitude-based Pruning", ICLR 2021.
    """
    squares = scores.ravel().astype(np.float64) ** 2
    order = np.argsort(-squares, kind="stable")
    rest = np.cumsum(squares[order])
    shares = np.zeros(len(squares))
    np.divide(squares[order], rest, out=shares, where=rest > 0)
    shares[order] = shares.copy()
    return shares.reshape(scores.shape)


# How much each weight matters: its size, or, to first order, how much the loss changes
# without it. P. Molchanov et al., "Pruning Convolutional Neural Networks for Resource
# Efficient Inference", ICLR 2017.
CRITERIA = {
    "layer_adaptive": Criterion(_magnitude, _share_of_the_rest),
    "magnitude": Criterion(_magnitude, _as_they_are),
    "first_order": Criterion(_first_order, _as_they_are),
}


def kept_weights(scores, amount):
    """Choose the weights to keep, those of all layers ranked together.

    Parameters
    ----------
    scores : list of ndarray
        How much each weight matters, a matrix a layer.

    amount : float
        Share of all weights to leave out, in [0, 1].

    Returns
    -------
    kept : list of ndarray of bool
        Shaped as `scores`. Of equal scores the first are kept.
    """
    flat = np.concatenate([s.ravel() for s in scores])
    kept = np.zeros(len(flat), bool)
    kept[_best(flat, len(flat) - round(amount * len(flat)))] = True
    cuts = np.cumsum([s.size for s in scores])[:-1]
    parts = np.split(kept, cuts)
    return [part.reshape(s.shape) for part, s in zip(parts, scores, strict=True)]


def kept_neurons(scores, amount):
    """Choose the neurons to keep, those of all layers ranked together.

    Parameters
    ----------
    scores : list of ndarray of shape (n_neurons,)
        How much each neuron matters, a vector a layer. They are compared in units of
        their layer's root mean square: layers differ in scale.

    amount : float
        Share of all neurons to leave out, in [0, 1].

    Returns
    -------
    kept : list of ndarray of int
        Indices for each layer, ascending, never none of a layer.
    """
    scaled = [s / (np.sqrt(np.mean(s**2)) or 1) for s in scores]
    masks = kept_weights(scaled, amount)
    return [
        np.flatnonzero(mask) if mask.any() else np.array([s.argmax()])
        for mask, s in zip(masks, scaled, strict=True)
    ]


def _best(scores, n):
    return np.argsort(-scores, kind="stable")[:n]
