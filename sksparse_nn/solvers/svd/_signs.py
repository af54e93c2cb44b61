"""One sign for each component, whoever computed it."""

import numpy as np

# Entries this close to the largest are ties: rounding must not choose among them.
_TIE = 0.95


def with_fixed_signs(components):
    """Flip components so that the first of their largest entries is positive.

    Parameters
    ----------
    components : ndarray of shape (n_components, n_features)
        Vectors.

    Returns
    -------
    components : ndarray of shape (n_components, n_features)
        The vectors or their negatives, row by row in memory.
    """
    # One row at a time: for many features a copy of all would be the larger part.
    rows = np.ascontiguousarray(components)
    signs = np.array([_sign(row) for row in rows], components.dtype)
    return rows * signs[:, None]


def _sign(row):
    """Return the sign of the first entry that is large."""
    top = max(row.max(), -row.min())
    first = (np.abs(row) >= _TIE * top).argmax()
    return np.sign(row[first])
