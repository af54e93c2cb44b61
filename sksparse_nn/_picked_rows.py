"""Some rows of a matrix, copied only when they are read."""

import numpy as np
from scipy import sparse


class PickedRows:
    """Rows of a matrix by their indices, as a matrix of them would be indexed.

    Parameters
    ----------
    whole : ndarray or CSR matrix of shape (n_samples, n_features)
        All rows, maybe on disk.

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

    @property
    def nnz(self):
        """Number of stored values, of rows of a CSR matrix."""  # numpydoc ignore=RT01
        return int(np.diff(self.whole.indptr)[self.rows].sum(dtype=np.int64))

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
        """Copy the rows into one matrix.

        Returns
        -------
        X : ndarray or CSR matrix of shape (n_picked, n_features)
            The rows.
        """
        return self.whole[self.rows]

    def scatter_weights(self, weights):
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
        everywhere = np.zeros(self.whole.shape[0])
        everywhere[self.rows] = weights
        return everywhere


def is_sparse(X):
    """Return whether the rows of a matrix are sparse.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows
        The matrix.

    Returns
    -------
    is_sparse : bool
        Whether its blocks are CSR matrices.
    """
    return sparse.issparse(getattr(X, "whole", X))


def pick(X, rows):
    """Take some rows of a matrix without a copy.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_samples, n_features)
        All rows.

    rows : ndarray of shape (n_picked,)
        Indices of the selected rows.

    Returns
    -------
    picked : PickedRows of shape (n_picked, n_features)
        They are read when they are indexed.
    """
    if isinstance(X, PickedRows):
        return PickedRows(X.whole, X.rows[rows])
    return PickedRows(X, rows)


def spread_rows(n_rows, n_most):
    """Choose rows at equal distances, as the first ones may be alike.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    n_most : int
        Number of rows to choose at most.

    Returns
    -------
    chosen : ndarray of int of shape (n_chosen,)
        In ascending order; all rows where there are no more.
    """
    if n_rows <= n_most:
        return np.arange(n_rows)
    return np.linspace(0, n_rows - 1, n_most).astype(np.intp)
