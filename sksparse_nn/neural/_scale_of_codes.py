"""The mean square of codes, by which a network scales them."""

import numpy as np
from scipy import sparse

from sksparse_nn._picked_rows import spread_rows

# Training samples whose codes determine the scale.
_SCALED_ROWS = 2000


def choose_some(samples):
    """Choose training samples at equal distances.

    Parameters
    ----------
    samples : TrainingSamples
        All of them.

    Returns
    -------
    some : TrainingSamples
        At most 2000.
    """
    return samples.subset(spread_rows(len(samples), _SCALED_ROWS))


def root_mean_square(X, weight):
    """Return the root of the weighted mean of squares.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Values.

    weight : ndarray of shape (n_samples,)
        Weights of the samples.

    Returns
    -------
    root : float
        Zero if all values are.
    """
    X = sparse.csr_array(X, dtype=np.float64)
    unit = abs(X).max() or 1.0  # squares of some values overflow
    squares = (X / unit).power(2).sum(axis=1)
    return unit * np.sqrt(np.average(squares, weights=weight) / X.shape[1])
