"""Converged codes by differences, where products round too much."""

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.anchored import converge_anchored


def encode_anchored(keys, block, start, *, max_iter, tol):
    """Find the mixture of keys that is nearest to each row, by differences.

    Parameters
    ----------
    keys : Keys
        The keys.

    block : Block
        Rows, with exact distances.

    start : ndarray of shape (n_rows, n_keys)
        Initial codes.

    max_iter, tol : int, float
        Parameters of `Converged`.

    Returns
    -------
    codes : ndarray of shape (n_rows, n_keys)
        Codes in float64; each row adds up to one.

    gaps : ndarray of shape (n_rows,)
        Relative duality gaps.
    """
    points = keys.given.astype(np.float64) / keys.scale
    X, nearest = block.given, block.halves.argmin(axis=1)
    codes, gaps = np.zeros(block.halves.shape), np.zeros(len(nearest))
    for key in np.unique(nearest):
        rows = np.flatnonzero(nearest == key)
        part = X[rows].toarray() if sparse.issparse(X) else X[rows]
        part = part.astype(np.float64) / keys.scale
        ways, sizes, others = _find_ways(points, key)
        if len(others):
            pulls, shares = (
                (part - points[key]) @ ways.T,
                start[rows][:, others] * sizes,
            )
            gram, found = ways @ ways.T, np.zeros(len(rows))
            curvature = float(np.linalg.eigvalsh(gram)[-1]) * (1 + 1e-9)
            converge_anchored(
                pulls, sizes, gram, curvature, max_iter, tol, shares, found
            )
            codes[rows[:, None], others], gaps[rows] = shares / sizes, found
        codes[rows, key] = np.maximum(1 - codes[rows].sum(axis=1), 0)
    return codes, gaps


def _find_ways(points, key):
    """Return directions, distances and indices of the keys that differ from one."""
    ways = points - points[key]
    sizes = np.sqrt(np.einsum("ij,ij->i", ways, ways))
    others = np.flatnonzero(sizes > 0)
    return ways[others] / sizes[others, None], sizes[others], others
