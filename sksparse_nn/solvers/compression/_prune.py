"""Which weights, or which neurons, a network can do without."""

import numpy as np


def _magnitude(weight, gradient):
    return np.abs(weight)


def _first_order(weight, gradient):
    return np.abs(weight * gradient)


# How much each weight matters: its size, or, to first order, how much the loss changes
# without it. P. Molchanov et al., "Pruning Convolutional Neural Networks for Resource
# Efficient Inference", ICLR 2017.
CRITERIA = {"magnitude": _magnitude, "first_order": _first_order}


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
