"""Products of the features of thin sparse rows, which are never made dense."""

from itertools import pairwise

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.sparse_grams import add_upper_grams
from sksparse_nn.solvers.svd._blocks import blocks_of, map_blocks

# Values of a block: with their order by column they take 64 MB.
_VALUES = 2**21

# Parts that threads take in turn; no two add to the same sum.
_PARTS = 64


def value_blocks(X):
    """Cut rows into blocks of about as many values as fit a bounded memory.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_columns)
        The rows.

    Returns
    -------
    blocks : list of slice
        In order.
    """
    n_rows = X.shape[0]
    return blocks_of(n_rows, max(1, _VALUES * n_rows // max(X.nnz, 1)))


def take_full_columns_off(X, weight):
    """Take their means off the columns that have no zero: what is offset most.

    A column that has zeros varies by as much as it is offset, up to the number of rows.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_columns)
        Canonical; changed in place.

    weight : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    shift : ndarray of shape (n_columns,)
        What was taken off; zero for the others.
    """
    is_full = np.bincount(X.indices, minlength=X.shape[1]) == X.shape[0]
    shift = np.where(is_full, (X.T @ weight) / weight.sum(), 0.0)
    if is_full.any():
        X.data -= shift[X.indices]
    return shift


def sparse_grams(X, partition, n_jobs):
    """Multiply the columns of each group with each other.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_columns)
        Arranged by group, canonical, float64.

    partition : Partition
        The groups.

    n_jobs : int or None
        Threads; None for as many as BLAS takes. They change no bit.

    Returns
    -------
    flat : ndarray of shape (n_products,)
        See `Partition.blocks`.
    """
    out = np.zeros(partition.n_products)
    indptr, indices = X.indptr.astype(np.int64), X.indices.astype(np.int32, copy=False)
    places = np.arange(X.nnz, dtype=np.int64)
    by_column = sparse.csr_array((places, indices, indptr), shape=X.shape).tocsc()
    begins = by_column.indptr.astype(np.int64)
    entries = begins, by_column.indices.astype(np.int32, copy=False), by_column.data
    where = _stops_and_starts(partition)

    def add(features):
        add_upper_grams(indptr, indices, X.data, entries, *where, features, out)

    list(map_blocks(add, _parts(begins), n_jobs))
    for stack in partition.blocks(out):
        for i in range(1, stack.shape[1]):
            stack[:, i, :i] = stack[:, :i, i]
    return out


def _stops_and_starts(partition):
    """Return, of each column, its group's end and where its products are counted from.

    That is where the one with column zero would be, were it in the group.
    """
    widths = partition.widths.astype(np.int64)
    firsts = np.cumsum(widths) - widths
    origins = np.cumsum(widths**2) - widths**2
    first, width, origin = (np.repeat(x, widths) for x in (firsts, widths, origins))
    place = np.arange(partition.n_features) - first
    return first + width, origin + place * width - first


def _parts(begins):
    """Part the columns so that each part has about equally many entries."""
    wanted = np.linspace(0, begins[-1], _PARTS + 1)[1:-1]
    cuts = np.unique([0, *np.searchsorted(begins, wanted), len(begins) - 1]).tolist()
    return list(pairwise(cuts))
