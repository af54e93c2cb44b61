"""Products of a CSR matrix and a dense one."""

import numpy as np

from sksparse_nn.kernels._jit import kernel, step


@step
def row_times_dense(indices, data, t, stop, B, out, i):
    """Multiply a sparse row by a dense matrix.

    Parameters
    ----------
    indices, data
        As in `csr_times_dense`.

    t, stop : int
        Where the row begins and ends.

    B : array of shape (n_columns, m)
        Right factor.

    out : array of shape (n_rows, m)
        Its row `i` is overwritten.

    i : int
        The row.
    """
    m = np.uint64(B.shape[1])
    for j in range(m):  # a slice assignment is many times slower
        out[i, j] = 0
    while t + 4 <= stop:  # four at a time, or half of it is loads and stores of out
        a, b = np.uint64(indices[t]), np.uint64(indices[t + 1])
        c, d = np.uint64(indices[t + 2]), np.uint64(indices[t + 3])
        v, w, x, y = data[t], data[t + 1], data[t + 2], data[t + 3]
        for j in range(m):
            two = v * B[a, j] + w * B[b, j]
            out[i, j] += two + (x * B[c, j] + y * B[d, j])
        t += 4
    for u in range(t, stop):
        column, value = np.uint64(indices[u]), data[u]
        for j in range(m):
            out[i, j] += value * B[column, j]


@kernel
def csr_times_dense(indptr, indices, data, B, out):
    """Multiply a CSR matrix by a dense matrix.

    Parameters
    ----------
    indptr : int array of shape (n_rows + 1,)
        Where rows begin; need not begin with zero.

    indices : int32 array of shape (nnz,)
        Column of each value.

    data : array of shape (nnz,)
        Values.

    B : array of shape (n_columns, m)
        Right factor.

    out : array of shape (n_rows, m)
        Overwritten with the product.
    """
    for i in range(np.uint64(out.shape[0])):
        row_times_dense(indices, data, indptr[i], indptr[i + 1], B, out, i)


@kernel
def add_gram_times_dense(indptr, indices, data, B, row, out):
    """Add the product of ``A'A`` and a dense matrix, for a CSR matrix ``A``.

    One sweep over ``A``: ``A B``, which may be far larger than both, is not stored.

    Parameters
    ----------
    indptr, indices, data
        As in `csr_times_dense`.

    B : array of shape (n_columns, m)
        Right factor.

    row : array of shape (1, m)
        Overwritten.

    out : array of shape (n_columns, m)
        Added to.
    """
    m = np.uint64(B.shape[1])
    for i in range(np.uint64(indptr.shape[0] - 1)):
        row_times_dense(indices, data, indptr[i], indptr[i + 1], B, row, 0)
        for t in range(indptr[i], indptr[i + 1]):
            column, value = np.uint64(indices[t]), data[t]
            for j in range(m):
                out[column, j] += value * row[0, j]


@kernel
def add_transpose_times_dense(indptr, indices, data, B, out):
    """Add the product of the transpose of a CSR matrix and a dense matrix.

    Parameters
    ----------
    indptr, indices, data
        As in `csr_times_dense`.

    B : array of shape (n_rows, m)
        Right factor.

    out : array of shape (n_columns, m)
        Added to.
    """
    m = np.uint64(B.shape[1])
    for i in range(np.uint64(B.shape[0])):
        for t in range(indptr[i], indptr[i + 1]):
            column, value = np.uint64(indices[t]), data[t]
            for j in range(m):
                out[column, j] += value * B[i, j]
