"""Products of the features of thin sparse rows, which are never made dense."""

from itertools import pairwise

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.sparse_grams import add_upper_grams
from sksparse_nn.solvers.svd._blocks import map_blocks, split_blocks

# Values per block: with their order by column they take 64 MB.
_VALUES = 2**21

# Parts that threads process in turn; no two add to the same sum.
_PARTS = 64


def cut_by_values(X):
    """Cut rows into blocks with a bounded number of values.

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
    return split_blocks(n_rows, max(1, _VALUES * n_rows // max(X.nnz, 1)))


def take_means_off_full_columns(X, weight):
    """Subtract the means of columns with more than half of their values stored.

    Only these can have an offset far larger than their spread. Their zeros are stored
    too, which at most doubles the number of values. The spread of any other column is
    as large as its offset, unless its zeros have hardly any weight.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_columns)
        Canonical.

    weight : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    X : CSR matrix of shape (n_rows, n_columns)
        Canonical, a new matrix if anything was subtracted.

    shift : ndarray of shape (n_columns,)
        Subtracted means; zero for the other columns.
    """
    n_rows, n_columns = X.shape
    full = np.flatnonzero(2 * np.bincount(X.indices, minlength=n_columns) > n_rows)
    shift = np.zeros(n_columns)
    if not full.size:
        return X, shift
    rows = np.repeat(np.arange(n_rows), np.diff(X.indptr))
    is_full = np.isin(X.indices, full)
    values = np.zeros((n_rows, len(full)))
    values[rows[is_full], np.searchsorted(full, X.indices[is_full])] = X.data[is_full]
    shift[full] = (weight @ values) / weight.sum()
    values -= shift[full]
    entries = np.concatenate([X.data[~is_full], values.ravel()])
    at_rows = np.concatenate([rows[~is_full], np.repeat(np.arange(n_rows), len(full))])
    at_columns = np.concatenate([X.indices[~is_full], np.tile(full, n_rows)])
    filled = sparse.coo_array((entries, (at_rows, at_columns)), shape=X.shape).tocsr()
    filled.sort_indices()
    return filled, shift


def sparse_grams(X, partition, n_jobs):
    """Multiply the columns of each group with each other.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_columns)
        Arranged by group, canonical, float64.

    partition : Partition
        The groups.

    n_jobs : int or None
        Threads; None for as many as BLAS takes. The result does not depend on them.

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
    where = _find_stops_and_starts(partition)

    def add(features):
        add_upper_grams(indptr, indices, X.data, entries, *where, features, out)

    list(map_blocks(add, _parts(begins), n_jobs))
    for stack in partition.blocks(out):
        for i in range(1, stack.shape[1]):
            stack[:, i, :i] = stack[:, :i, i]
    return out


def _find_stops_and_starts(partition):
    """Return the end of each column's group and the origin of its products.

    The origin is where the product with column zero would be, were it in the group.
    """
    widths = partition.widths.astype(np.int64)
    firsts = np.cumsum(widths) - widths
    origins = np.cumsum(widths**2) - widths**2
    first, width, origin = (np.repeat(x, widths) for x in (firsts, widths, origins))
    place = np.arange(partition.n_features) - first
    return first + width, origin + place * width - first


def _parts(begins):
    """Split the columns into parts with about equally many entries."""
    wanted = np.linspace(0, begins[-1], _PARTS + 1)[1:-1]
    cuts = np.unique([0, *np.searchsorted(begins, wanted), len(begins) - 1]).tolist()
    return list(pairwise(cuts))
