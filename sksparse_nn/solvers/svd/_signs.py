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
    sizes = np.abs(components)
    is_large = sizes >= _TIE * sizes.max(axis=1, keepdims=True)
    first = is_large.argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), first])
    return components * signs[:, None]
