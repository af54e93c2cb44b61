"""Quality of a reconstruction by few atoms, and the number of atoms in use."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import check_array

from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn._warnings import warn

# Rows whose differences are in memory at a time.
_BLOCK = 4096


def explained_variance(X: ArrayLike, X_hat: ArrayLike) -> float:
    """Return the share of the variance that a reconstruction explains.

    One minus the summed squared error over the summed squared distance from the mean of
    each feature. The sums run over all rows, in float64, whatever the batches.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Activations, or any rows.

    X_hat : array-like of shape (n_samples, n_features)
        Reconstruction of `X`.

    Returns
    -------
    share : float
        1 for a perfect reconstruction, 0 for the mean of all samples, negative if it is
        worse than the mean. NaN, with a warning, if all the samples are equal.

    Examples
    --------
    >>> from sksparse_nn.inspection import explained_variance
    >>> explained_variance([[1, 0], [3, 0]], [[1, 0], [2, 0]])
    0.5
    """
    X, X_hat = _check_pair(X, X_hat)
    if not np.ptp(X, axis=0).any():
        warn(
            "The explained variance is NaN: all the rows of X are equal.",
        )
        return float("nan")
    mean = X.mean(axis=0, dtype=np.float64)
    lost = total = 0.0
    for start in range(0, len(X), _BLOCK):
        rows = X[start : start + _BLOCK].astype(np.float64)
        lost += np.square(rows - X_hat[start : start + _BLOCK]).sum()
        total += np.square(rows - mean).sum()
    return float(1 - lost / total)


def _check_pair(X, X_hat):
    X, X_hat = (
        check_array(rows, dtype=[np.float32, np.float64]) for rows in (X, X_hat)
    )
    if X.shape != X_hat.shape:
        raise ValueError(
            f"X_hat must have the shape {X.shape} of X. Got {X_hat.shape}."
        )
    return X, X_hat


def mean_l0(codes: MatrixLike) -> float:
    """Return the mean number of atoms in use per sample, known as L0.

    Parameters
    ----------
    codes : {array-like, sparse matrix} of shape (n_samples, n_components)
        Codes.

    Returns
    -------
    n_active : float
        Nonzero codes per sample.

    Examples
    --------
    >>> from sksparse_nn.inspection import mean_l0
    >>> mean_l0([[0, 2, 0], [1, 0, 1]])
    1.5
    """
    codes = _check_codes(codes)
    return float(_count_uses(codes).sum() / codes.shape[0])


def dead_atoms(codes: MatrixLike) -> NDArray:
    """List the atoms that no sample uses.

    Parameters
    ----------
    codes : {array-like, sparse matrix} of shape (n_samples, n_components)
        Codes of many samples.

    Returns
    -------
    indices : ndarray of int
        In ascending order.

    Examples
    --------
    >>> from sksparse_nn.inspection import dead_atoms
    >>> dead_atoms([[0, 2, 0], [1, 0, 0]])
    array([2])
    """
    return np.flatnonzero(_count_uses(_check_codes(codes)) == 0)


def _check_codes(codes):
    check_structure(codes, "codes")
    return check_array(codes, accept_sparse="csr", dtype=None)


def _count_uses(codes):
    """Count the rows that use each atom."""
    if not sparse.issparse(codes):
        return np.count_nonzero(codes, axis=0)
    return np.bincount(codes.indices[codes.data != 0], minlength=codes.shape[1])
