"""Rows coded block by block on threads, and the blocks joined into one matrix."""

import numpy as np
from scipy import sparse

from sksparse_nn._progress import silent
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas


def encode_blocks(encode, shape, dtype, *, join, n_jobs=None, report=silent):
    """Code rows block by block on threads, with BLAS held to one thread.

    Parameters
    ----------
    encode : callable
        Takes a slice of the rows. Returns their codes in the form that `join` takes,
        and their relative duality gaps.

    shape : tuple of int
        Number of rows, and width of the codes.

    dtype : dtype
        Float type of the codes.

    join : callable
        Takes the blocks in the order of the rows, the shape and the type, as
        `join_sparse` and `join_dense` do.

    n_jobs : int or None, default=None
        Number of threads.

    report : ProgressLines, default=silent
        Prints the progress.

    Returns
    -------
    codes : object
        Result of `join`.

    gaps : ndarray of shape (n_rows,)
        Relative duality gaps.
    """
    gaps = np.zeros(shape[0])

    def encode_block(which):
        block, gaps[which] = encode(which)
        return block

    if shape[0] == 1:  # in half the time
        with single_threaded_blas():
            block, gaps[:] = encode(slice(0, 1))
        return join([block], shape, dtype), gaps
    slices = block_slices(shape[0])
    blocks = map_in_order(encode_block, slices, n_jobs)
    blocks = report.through(blocks, len(slices), "coding rows")
    return join(blocks, shape, dtype), gaps


def join_sparse(blocks, shape, dtype):
    """Join compressed blocks into a CSR matrix, freeing each once it is copied.

    Parameters
    ----------
    blocks : iterable of tuple
        Results of `compress_codes`, in the order of the rows.

    shape : tuple of int
        Shape of the matrix.

    dtype : dtype
        Type of its values.

    Returns
    -------
    codes : CSR matrix
        With sorted indices if the blocks have them.
    """
    blocks = list(blocks)
    if len(blocks) == 1:
        return _join_one(*blocks[0], shape)
    counts = np.concatenate([np.zeros(1, np.int32), *[block[0] for block in blocks]])
    n_values = int(counts.sum(dtype=np.int64))
    wide = n_values > np.iinfo(np.int32).max
    indptr = np.cumsum(counts, dtype=np.int64 if wide else np.int32)
    indices = np.empty(n_values, indptr.dtype)
    values = np.empty(n_values, dtype)
    at = 0
    blocks.reverse()
    while blocks:
        _, part, part_values = blocks.pop()
        indices[at : at + len(part)] = part
        values[at : at + len(part)] = part_values
        at += len(part)
    return sparse.csr_matrix((values, indices, indptr), shape=shape, copy=False)


def _join_one(counts, indices, values, shape):
    """Return the codes of one block, without a copy."""
    indptr = np.zeros(len(counts) + 1, indices.dtype)
    np.cumsum(counts, out=indptr[1:])
    return sparse.csr_matrix((values, indices, indptr), shape=shape, copy=False)


def join_dense(blocks, shape, dtype):
    """Write compressed blocks into an ndarray, each as it comes.

    Parameters
    ----------
    blocks : iterable of tuple
        Results of `compress_codes`, in the order of the rows.

    shape : tuple of int
        Shape of the array.

    dtype : dtype
        Type of its values.

    Returns
    -------
    codes : ndarray
        Zero where a block has no entry.
    """
    codes = np.zeros(shape, dtype)
    at = 0
    for counts, indices, values in blocks:
        rows = np.repeat(np.arange(at, at + len(counts)), counts)
        codes[rows, indices] = values
        at += len(counts)
    return codes
