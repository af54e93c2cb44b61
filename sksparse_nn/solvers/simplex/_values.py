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
    points, mean_square = keys.centred, np.trace(sums.codes) / len(keys.given)
    A = sums.codes + regularisation * mean_square * np.eye(len(points))
    moves = solve(A, sums.rows - sums.codes @ points, assume_a="pos")
    return (keys.centre + (points + moves)).astype(keys.given.dtype)
