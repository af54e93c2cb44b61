"""Weights of samples in the loss: sample weights times class weights, of mean one.

They are normalised by sums over all the samples that a network has seen. `seen` holds
these sums: a count and a total sample weight per class.
"""

import numpy as np
from sklearn.utils import compute_class_weight


def ones_like(shape, dtype=np.float64):
    """Return ones that take no memory.

    Parameters
    ----------
    shape : int or tuple of int
        Of the array.

    dtype : dtype, default=float64
        Float type.

    Returns
    -------
    ones : ndarray
        Read-only.
    """
    return np.broadcast_to(np.ones((), dtype), shape)


def drop_ones(weight):
    """Return weights that take no memory if all are one.

    Parameters
    ----------
    weight : ndarray
        Weights.

    Returns
    -------
    weight : ndarray
        Equal ones, maybe read-only.
    """
    return ones_like(weight.shape, weight.dtype) if (weight == 1).all() else weight


def scale_to_mean_one(weight):
    """Return weights divided by their mean.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,)
        Weights.

    Returns
    -------
    weight : ndarray of shape (n_samples,)
        They take no memory if all are one.
    """
    mean = weight.mean()
    return drop_ones(weight if mean == 1 else weight / mean)


def start_sums(n_classes):
    """Return the sums over no samples.

    Parameters
    ----------
    n_classes : int
        Number of classes; 1 for a regressor.

    Returns
    -------
    seen : ndarray of shape (2, n_classes)
        Zeros: counts and total weights.
    """
    return np.zeros((2, n_classes))


def add_to_sums(seen, codes, weight):
    """Add samples to the sums.

    Parameters
    ----------
    seen : ndarray of shape (2, n_classes)
        Counts and total weights of the classes.

    codes : ndarray of int of shape (n_samples,)
        Classes of the new samples.

    weight : ndarray of shape (n_samples,)
        Their sample weights.

    Returns
    -------
    seen : ndarray of shape (2, n_classes)
        A new array.
    """
    counts = np.bincount(codes, minlength=seen.shape[1])
    sums = np.bincount(codes, weight, minlength=seen.shape[1])
    return seen + np.stack([counts, sums])


def class_factors(class_weight, classes, seen):
    """Return the factor of each class.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in scikit-learn.

    classes : ndarray of shape (n_classes,)
        The labels.

    seen : ndarray of shape (2, n_classes)
        Counts and total weights of the classes.

    Returns
    -------
    factors : ndarray of shape (n_classes,)
        Not normalised. "balanced" makes the total weights of all classes seen equal.

    Raises
    ------
    ValueError
        If `class_weight` has a negative weight or an unknown label.
    """
    if class_weight == "balanced":
        sums = seen[1]
        return np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)
    factors = compute_class_weight(class_weight, classes=classes, y=classes)
    if factors.min() < 0:
        raise ValueError(f"class_weight must not be negative. Got {class_weight!r}.")
    return factors.astype(np.float64)


def loss_weights(weight, codes, *, factors, seen):
    """Return the weights of samples in the loss.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,)
        Sample weights.

    codes : ndarray of int of shape (n_samples,)
        Classes.

    factors : ndarray of shape (n_classes,)
        Class weights.

    seen : ndarray of shape (2, n_classes)
        Counts and total weights of the classes, these samples included.

    Returns
    -------
    weight : ndarray of shape (n_samples,)
        Scaled to mean one over the samples in `seen`.

    Raises
    ------
    ValueError
        If the class weights of all samples are zero.
    """
    n_rows, total = seen[0].sum(), seen[1] @ factors
    if not total > 0:
        raise ValueError(
            "class_weight must leave some row a positive weight. "
            f"Got the weights {factors} for the classes of y."
        )
    if total == n_rows and (factors == 1).all():
        return weight
    weights = factors[codes]
    weights *= weight
    weights /= total / n_rows
    return weights
