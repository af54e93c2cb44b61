"""Row blocks: their sizes, and the threads that process them."""

from sksparse_nn.solvers._threads import count_blas_threads, map_in_order

_CACHED = 2**20
_LARGEST = 2**24
_SPARSE = 2**13

# Bytes of a panel of dense rows of a sparse matrix, if the matrix is small.
_PANEL = 2**22

# Columns up to which products take less time than reading.
_NARROW = 64

# Columns from which BLAS's own threads are faster than ours.
_WIDE = 512


def product_blocks(n_rows, partition):
    """Cut dense rows into blocks whose features are multiplied with each other.

    Narrow rows of one group are copied and shifted, and are cut smaller so that the
    copy stays in cache too.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    partition : Partition
        Groups of features.

    Returns
    -------
    blocks : list of slice
        In order.
    """
    is_narrow = partition.widest == partition.n_features <= _NARROW
    return row_blocks(n_rows, partition, _CACHED // 4 if is_narrow else _CACHED)


def row_blocks(n_rows, partition, cached=None):
    """Cut rows into blocks for products with features.

    A block stays in cache if groups are narrow. For wide groups it has more rows, as
    adding its products to the sum would otherwise cost as much as computing them.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    partition : Partition
        Groups of features.

    cached : int or None, default=None
        Numbers of a block of narrow groups; None for those that stay in cache.

    Returns
    -------
    blocks : list of slice
        In order.
    """
    wide = min(4096, 2 * partition.widest)
    size = max((cached or _CACHED) // partition.n_features, wide)
    size = min(size, _LARGEST // partition.n_features)
    return split_blocks(n_rows, max(size, 1))


def panels(X, partition):
    """Cut rows of a rather full CSR matrix into blocks that are made dense in turn.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_features)
        The rows.

    partition : Partition
        Groups of features.

    Returns
    -------
    blocks : list of slice
        In order. A dense block takes no more memory than the matrix, or 4 MB.
    """
    blocks = row_blocks(X.shape[0], partition)
    stored = getattr(X, "whole", X)
    most = max(stored.data.nbytes + stored.indices.nbytes, _PANEL)
    size = most // (X.shape[1] * X.dtype.itemsize)
    return split_blocks(X.shape[0], max(1, min(size, blocks[0].stop)))


def sparse_row_blocks(n_rows):
    """Cut rows of a CSR matrix into blocks for products with a few columns.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    Returns
    -------
    blocks : list of slice
        In order.
    """
    return split_blocks(n_rows, _SPARSE)


def split_blocks(n, size):
    """Cut a range into slices of equal size; the last one may be smaller.

    Parameters
    ----------
    n, size : int
        Lengths of the range and of a slice.

    Returns
    -------
    blocks : list of slice
        In order.
    """
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def map_blocks(function, blocks, n_jobs, *, width=1):
    """Apply a function to blocks and yield the results in order.

    Parameters
    ----------
    function : callable
        Takes a block.

    blocks : list
        The blocks.

    n_jobs : int or None
        Threads; None for as many as BLAS has: its own for large products, otherwise
        ours.

    width : int, default=1
        Columns of the products that BLAS computes, or one if it computes none.

    Returns
    -------
    results : iterator
        Results of the function.
    """
    if len(blocks) == 1 or (n_jobs is None and width >= _WIDE):
        return map(function, blocks)
    return map_in_order(
        function, blocks, count_blas_threads() if n_jobs is None else n_jobs
    )
