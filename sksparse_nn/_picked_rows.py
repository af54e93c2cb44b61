"""Some rows of a matrix, copied only when they are read."""

import numpy as np
from scipy import sparse


class PickedRows:
    """Selected rows of an array, which are indexed like an array.

    Parameters
    ----------
    whole : ndarray of shape (n_samples, n_features)
        All rows, possibly on disk.

    rows : ndarray of shape (n_picked,)
        Indices of the selected rows.
    """

    ndim = 2

    def __init__(self, whole, rows):
        self.whole, self.rows = whole, rows
        self.shape, self.dtype = (len(rows), whole.shape[1]), whole.dtype

    @property
    def size(self):
        """Number of values."""  # numpydoc ignore=RT01
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
        """Copy the rows into one array.

        Returns
        -------
        X : ndarray of shape (n_picked, n_features)
            The rows.
        """
        return self.whole[self.rows]

    def scattered(self, weights):
        """Expand weights to all rows, with zero for rows that are not picked.

        Parameters
        ----------
        weights : ndarray of shape (n_picked,)
            Weights of the picked rows.

        Returns
        -------
        everywhere : ndarray of shape (n_samples,)
            Weights of all rows.
        """
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
        Indices of the selected rows.

    Returns
    -------
    picked : PickedRows or CSR matrix of shape (n_picked, n_features)
        The selected rows, copied only for a sparse matrix.
    """
    if sparse.issparse(X):
        return X[rows]
    if isinstance(X, PickedRows):
        return PickedRows(X.whole, X.rows[rows])
    return PickedRows(X, rows)
