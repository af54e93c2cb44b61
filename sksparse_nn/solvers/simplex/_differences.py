"""Distances by differences, where products of rows and keys round too much."""

import numpy as np
from scipy import sparse

_NUMBERS = 2**20  # largest number of values of dense rows at a time


def compute_half_squares(X, points, unit=1.0):
    """Return half the squared distances of rows and points.

    Next to a huge entry, products of rows and points lose the digits of the others.
    Differences keep them.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Rows.

    points : ndarray of shape (n_points, n_features)
        Points.

    unit : float, default=1.0
        Unit of the distances.

    Returns
    -------
    halves : ndarray of shape (n_rows, n_points)
        In float64.
    """
    halves = np.empty((X.shape[0], len(points)))
    size = max(1, _NUMBERS // X.shape[1])
    for start in range(0, len(halves), size):
        part = X[start : start + size]
        part = part.toarray() if sparse.issparse(part) else part
        part = part.astype(np.float64) / unit
        for j, point in enumerate(points):
            far = part - point.astype(np.float64) / unit
            halves[start : start + size, j] = np.einsum("ij,ij->i", far, far) / 2
    return halves
