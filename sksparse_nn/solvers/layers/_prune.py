"""Choice of the weights, or of the neurons, that pruning keeps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Criterion:
    """Measure of the importance of weights.

    Attributes
    ----------
    score : callable
        Takes a weight matrix and the gradient of the loss, and returns scores.

    across_layers : callable
        Takes the scores of a layer, and returns numbers that are comparable between
        layers.
    """

    score: Callable
    across_layers: Callable


def _score_by_magnitude(weight, gradient):
    return np.abs(weight)


def _score_by_first_order(weight, gradient):
    return np.abs(weight * gradient)


def _keep_scores(scores):
    return scores


def _divide_by_rest(scores):
    """Divide each squared score by the sum of the squares that are not smaller.

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


# The importance of a weight is its magnitude, or the first-order change of the loss
# without it: P. Molchanov et al., "Pruning Convolutional Neural Networks for Resource
# Efficient Inference", ICLR 2017.
CRITERIA = {
    "layer_adaptive": Criterion(_score_by_magnitude, _divide_by_rest),
    "magnitude": Criterion(_score_by_magnitude, _keep_scores),
    "first_order": Criterion(_score_by_first_order, _keep_scores),
}


def choose_weights(scores, amount, needed=None):
    """Choose the weights to keep, ranked over all layers.

    Parameters
    ----------
    scores : list of ndarray
        Importance of each weight, one matrix per layer.

    amount : float
        Share of all weights to remove, in [0, 1].

    needed : list of ndarray of bool or None, default=None
        Weights to keep whatever their score, one mask per layer; None for a layer
        without any.

    Returns
    -------
    kept : list of ndarray of bool
        Masks of the shapes of `scores`. Among equal scores the first are kept.
    """
    flat = np.concatenate([s.ravel() for s in scores])
    kept = _join_masks(needed or [None] * len(scores), scores)
    flat[kept] = np.inf
    kept[_find_largest(flat, len(flat) - round(amount * len(flat)))] = True
    cuts = np.cumsum([s.size for s in scores])[:-1]
    parts = np.split(kept, cuts)
    return [part.reshape(s.shape) for part, s in zip(parts, scores, strict=True)]


def largest_of_rows(weight):
    """Mark the largest entry of each row.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Weights.

    Returns
    -------
    mask : ndarray of bool of shape (n_rows, n_columns)
        One entry per row, the first of equals.
    """
    return np.arange(weight.shape[1]) == np.abs(weight).argmax(axis=1)[:, None]


def choose_neurons(scores, amount):
    """Choose the neurons to keep, ranked over all layers.

    Parameters
    ----------
    scores : list of ndarray of shape (n_neurons,)
        Importance of each neuron, one vector per layer. Layers differ in scale, so
        scores are divided by the root mean square of their layer.

    amount : float
        Share of all neurons to remove, in [0, 1].

    Returns
    -------
    kept : list of ndarray of int
        Ascending indices per layer; at least one neuron per layer is kept.
    """
    scaled = [s / (np.sqrt(np.mean(s**2)) or 1) for s in scores]
    masks = choose_weights(scaled, amount)
    return [
        np.flatnonzero(mask) if mask.any() else np.array([s.argmax()])
        for mask, s in zip(masks, scaled, strict=True)
    ]


def choose_inputs(scores, amount):
    """Choose the inputs of layers to keep, ranked over all layers.

    Parameters
    ----------
    scores : list of ndarray of shape (n_inputs,)
        Those of `score_inputs`, one vector per layer.

    amount : float
        Share of all inputs to remove, in [0, 1].

    Returns
    -------
    kept : list of ndarray of int
        Ascending indices per layer, with those of an infinite score.
    """
    masks = choose_weights(scores, amount, [np.isinf(s) for s in scores])
    return [np.flatnonzero(mask) for mask in masks]


def _join_masks(masks, scores):
    """Flatten masks; None is one without entries."""
    return np.concatenate(
        [
            np.zeros(s.size, bool) if mask is None else mask.ravel()
            for mask, s in zip(masks, scores, strict=True)
        ]
    )


def _find_largest(scores, n):
    return np.argsort(-scores, kind="stable")[:n]
