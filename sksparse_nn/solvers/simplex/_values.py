"""Values of keys: what codes are multiplied by to give rows."""

import numpy as np
from scipy.linalg import solve


def fit_values(keys, sums, regularisation):
    """Fit values by least squares, drawn towards the keys.

    Parameters
    ----------
    keys : Keys
        What the rows were coded with.

    sums : Sums
        Over the codes.

    regularisation : float
        Weight of the squared distance between values and keys, as a share of the mean
        square of an entry of the codes; above zero.

    Returns
    -------
    values : ndarray of shape (n_keys, n_features)
        Of the type of the keys. A key of no row is its own value.
    """
    n_keys, mean_square = len(keys.given), np.trace(sums.codes) / len(keys.given)
    A = sums.codes + regularisation * mean_square * np.eye(n_keys)
    values = np.empty_like(keys.given)
    for some in keys.feature_blocks:
        points = keys.centred(some)
        left = sums.rows[:, some] - sums.codes @ points
        moves = solve(A, left, assume_a="pos")
        values[:, some] = keys.centre[some] + (points + moves)
    return values
