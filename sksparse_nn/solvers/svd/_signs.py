"""One sign for each component, whoever computed it."""

import numpy as np

# Entries this close to the largest are ties: rounding must not choose among them.
_TIE = 0.95

# Numbers of which a copy is soon made.
_FEW = 2**16


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
    rows = np.ascontiguousarray(components)
    if rows.size <= _FEW:
        return rows * _signs(rows)[:, None]
    # One row at a time: for many features a copy of all would be the larger part.
    signs = np.concatenate([_signs(row[None]) for row in rows])
    return rows * signs[:, None]


def _signs(rows):
    """Return the sign of the first entry of each row that is large."""
    magnitudes = np.abs(rows)
    tops = magnitudes.max(axis=1, keepdims=True)
    first = (magnitudes >= _TIE * tops).argmax(axis=1)
    return np.sign(rows[np.arange(len(rows)), first])
