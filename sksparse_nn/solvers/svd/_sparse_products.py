"""Products of a CSR matrix, or its transpose, with a few dense columns."""

from functools import cached_property

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.sparse_dense import (
    add_transpose_times_dense,
    csr_times_dense,
)
from sksparse_nn.solvers.svd._blocks import map_blocks, sparse_row_blocks


class SparseProducts:
    """A CSR matrix that is multiplied often, by C-contiguous matrices of its type.

    SciPy does this on one thread.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_columns)
        Its values are not copied.

    n_jobs : int or None
        Threads; None for one.
    """

    def __init__(self, X, n_jobs):
        self.shape, self.dtype = X.shape, X.dtype
        self._indptr = X.indptr.astype(np.int64)
        self._indices = X.indices.astype(np.int32, copy=False)
        self._data = X.data
        self._n_jobs = n_jobs

    @cached_property
    def transposed(self):
        """The transpose, with a copy of the values in the order of its rows."""
        arrays = self._data, self._indices, self._indptr
        whole = sparse.csr_array(arrays, shape=self.shape)
        return SparseProducts(whole.T.tocsr(), self._n_jobs)

    def times(self, B):
        """Multiply by a matrix of shape (n_columns, b)."""
        out = np.empty((self.shape[0], B.shape[1]), self.dtype)

        def multiply(where):
            csr_times_dense(*self._csr(where), B, out[where])

        list(map_blocks(multiply, sparse_row_blocks(self.shape[0]), self._n_jobs))
        return out

    def times_block(self, where, B):
        """Multiply some rows by a matrix of shape (n_columns, b)."""
        out = np.empty((where.stop - where.start, B.shape[1]), self.dtype)
        csr_times_dense(*self._csr(where), B, out)
        return out

    def transpose_times_block(self, where, B):
        """Multiply the transpose of some rows by a matrix that has as many."""
        out = np.zeros((self.shape[1], B.shape[1]), self.dtype)
        add_transpose_times_dense(*self._csr(where), B, out)
        return out

    def _csr(self, where):
        return self._indptr[where.start : where.stop + 1], self._indices, self._data
