"""Distances from differences, for what products of rows and keys cannot tell."""

import numpy as np
from scipy import sparse

_NUMBERS = 2**20  # of dense rows that are compared at a time


def half_squares(X, points, unit=1.0):
    """Return half the squared distances of rows and points.

    Products of rows and points lose what the largest cell hides; differences do not.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Rows.

    points : ndarray of shape (n_points, n_features)
        Points.

    unit : float, default=1.0
        Distances are in units of it.

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
