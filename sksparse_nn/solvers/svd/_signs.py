"""Signs of components, whichever solver computed them."""

import numpy as np

# Entries this close to the largest are ties, among which rounding must not choose.
_TIE = 0.95

# Size up to which a copy costs little.
_FEW = 2**16


def fix_signs(components):
    """Flip signs so that the first of the largest entries is positive.

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
        return rows * _find_signs(rows)[:, None]
    # One row at a time: for many features, copying all would dominate.
    signs = np.concatenate([_find_signs(row[None]) for row in rows])
    return rows * signs[:, None]


def _find_signs(rows):
    """Return the sign of the first entry of each row that is large."""
    magnitudes = np.abs(rows)
    tops = magnitudes.max(axis=1, keepdims=True)
    first = (magnitudes >= _TIE * tops).argmax(axis=1)
    return np.sign(rows[np.arange(len(rows)), first])
