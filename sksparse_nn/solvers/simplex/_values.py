"""Values of keys: codes times values reconstruct the rows."""

import numpy as np
from scipy.linalg import solve


def fit_values(keys, sums, regularisation):
    """Fit values by least squares that are regularised towards the keys.

    Parameters
    ----------
    keys : Keys
        Keys of the codes.

    sums : Sums
        Sums over the codes.

    regularisation : float
        Weight of the squared distance between values and keys, as a share of the mean
        square of an entry of the codes; above zero.

    Returns
    -------
    values : ndarray of shape (n_keys, n_features)
        Values, of the type of the keys. A key that no code uses is its own value.
    """
    n_keys, mean_square = len(keys.given), np.trace(sums.A) / len(keys.given)
    A = sums.A + regularisation * mean_square * np.eye(n_keys)
    values = np.empty_like(keys.given)
    for some in keys.feature_blocks:
        points = keys.read_centred(some)
        left = sums.B[:, some] - sums.A @ points
        moves = solve(A, left, assume_a="pos")
        values[:, some] = keys.centre[some] + (points + moves)
    return values
