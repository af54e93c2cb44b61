"""Products of a CSR matrix, or its transpose, with a few dense columns."""

from functools import cached_property
from itertools import islice, pairwise

import numpy as np
from scipy import sparse
from sklearn.utils import gen_even_slices

from sksparse_nn.kernels.sparse_dense import add_gram_times_dense, csr_times_dense
from sksparse_nn.solvers.svd._blocks import map_blocks, sparse_row_blocks

# Columns of a right factor that are multiplied together: more exceed the cache.
_TILE = 64

# Number of separate sums, fixed so that the result does not depend on threads.
_PARTS = 4


class SparseProducts:
    """A CSR matrix for repeated products with matrices of its type.

    SciPy multiplies on one thread.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_columns)
        The matrix; its values are not copied.

    n_jobs : int or None
        Threads; None for as many as BLAS takes.
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
        B = np.ascontiguousarray(B, self.dtype)
        out = np.empty((self.shape[0], B.shape[1]), self.dtype)

        def multiply(where):
            csr_times_dense(*self._csr(where), B, out[where])

        list(map_blocks(multiply, sparse_row_blocks(self.shape[0]), self._n_jobs))
        return out

    def gram_times(self, B):
        """Multiply the products of the columns by a matrix of shape (n_columns, b)."""
        slices = gen_even_slices(B.shape[1], -(-B.shape[1] // _TILE))
        tiles = [np.ascontiguousarray(B[:, tile], self.dtype) for tile in slices]
        work = [(tile, part) for tile in tiles for part in self._parts]
        sums = map_blocks(self._multiply_part, work, self._n_jobs)
        return np.hstack([sum(islice(sums, _PARTS)) for _ in tiles])

    def _multiply_part(self, tile_and_rows):
        B, where = tile_and_rows
        out, row = np.zeros(B.shape, B.dtype), np.empty((1, B.shape[1]), B.dtype)
        add_gram_times_dense(*self._csr(where), B, row, out)
        return out

    @cached_property
    def _parts(self):
        """Rows in parts that hold about equally many values."""
        wanted = np.linspace(0, self._indptr[-1], _PARTS + 1)[1:-1]
        cuts = [0, *np.searchsorted(self._indptr, wanted).tolist(), self.shape[0]]
        return [slice(*pair) for pair in pairwise(cuts)]

    def _csr(self, where):
        return self._indptr[where.start : where.stop + 1], self._indices, self._data
