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
        The vectors or their negatives.
    """
    tops = np.maximum(components.max(axis=1), -components.min(axis=1))
    # One row at a time: for many features a copy of all would be the larger part.
    signs = [_sign(row, _TIE * top) for row, top in zip(components, tops, strict=True)]
    return np.multiply(
        components, np.array(signs, components.dtype)[:, None], order="C"
    )


def _sign(row, large):
    """Return the sign of the first entry that is large."""
    first = (np.abs(row) >= large).argmax()
    return np.sign(row[first])
