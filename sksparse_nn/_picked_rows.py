"""Some rows of a matrix, copied only when they are read."""

import numpy as np
from scipy import sparse


class PickedRows:
    """Rows of an array by their indices, as an array of them would be indexed.

    Parameters
    ----------
    whole : ndarray of shape (n_samples, n_features)
        All rows, maybe on disk.

    rows : ndarray of shape (n_picked,)
        Which of them.
    """

    ndim = 2

    def __init__(self, whole, rows):
        self.whole, self.rows = whole, rows
        self.shape, self.dtype = (len(rows), whole.shape[1]), whole.dtype

    @property
    def size(self):
        """Number of values."""
        return self.shape[0] * self.shape[1]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, which):
        if not isinstance(which, tuple):
            return self.whole[self.rows[which]]
        rows, columns = which
        return self.whole[self.rows[rows]][:, columns]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.whole[self.rows], dtype)

    def copy(self):
        """Return the rows as an ndarray."""
        return self.whole[self.rows]

    def scattered(self, weights):
        """Return weights of all rows, zero for those that are not picked."""
        everywhere = np.zeros(len(self.whole))
        everywhere[self.rows] = weights
        return everywhere


def pick(X, rows):
    """Take some rows of a matrix.

    Parameters
    ----------
    X : ndarray, PickedRows or CSR matrix of shape (n_samples, n_features)
        All rows.

    rows : ndarray of shape (n_picked,)
        Which of them.

    Returns
    -------
    picked : PickedRows or CSR matrix of shape (n_picked, n_features)
        A copy only of a sparse matrix.
    """
    if sparse.issparse(X):
        return X[rows]
    if isinstance(X, PickedRows):
        return PickedRows(X.whole, X.rows[rows])
    return PickedRows(X, rows)
