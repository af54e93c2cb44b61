"""Row blocks: how large they are, and who works on them."""

from sklearn.utils import gen_batches

from sksparse_nn.solvers._threads import map_in_order

_CACHED = 2**20
_LARGEST = 2**24
_SPARSE = 2**13


def row_blocks(n_rows, partition):
    """Cut rows into blocks for products of features.

    A block stays in cache where groups are narrow. Where they are wide it has more
    rows, or adding its products to the sum would cost as much as making them.

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
    wide = min(4096, 2 * partition.widest)
    size = max(_CACHED // partition.n_features, wide)
    size = min(size, _LARGEST // partition.n_features)
    return list(gen_batches(n_rows, max(size, 1)))


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
    return list(gen_batches(n_rows, _SPARSE))


def map_blocks(function, blocks, n_jobs):
    """Apply a function to blocks and yield the results in order.

    Parameters
    ----------
    function : callable
        Takes a block.

    blocks : iterable
        The blocks.

    n_jobs : int or None
        Threads; None takes one block after the other with BLAS as it is, which is best
        where a block is large enough for BLAS's own threads.

    Returns
    -------
    results : iterator
        What the function returned.
    """
    if n_jobs is None:
        return map(function, blocks)
    return map_in_order(function, blocks, n_jobs)
