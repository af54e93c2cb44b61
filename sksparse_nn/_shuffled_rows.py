"""The order in which rows are learnt from: at random, or nearly where they are on disk.

Rows of a file one by one in random order take a page of the disk for each. So they are
taken in blocks at random, and mixed with those of the other blocks of a window.
"""

import numpy as np
from scipy import sparse

from sksparse_nn._read_ahead import BLOCK, find_file

# Bytes whose rows are mixed.
_WINDOW = 2**26


def shuffle_rows(X, n_rows, rng):
    """Return an order of rows, at random.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_rows, n_features)
        The rows, maybe on disk.

    n_rows : int
        How many there are, or how many of them are taken.

    rng : RandomState instance
        Source of the order.

    Returns
    -------
    order : ndarray of int of shape (n_rows,)
        A permutation.
    """
    size = count_window(X, n_rows)
    if size >= n_rows:
        return _permute(n_rows, rng)
    n_together = max(1, size * BLOCK // _WINDOW)
    firsts = n_together * _permute(-(-n_rows // n_together), rng)
    order = (firsts[:, None] + np.arange(n_together, dtype=firsts.dtype)).ravel()
    order = order[order < n_rows]
    for start in range(0, n_rows, size):
        rng.shuffle(order[start : start + size])
    return order


def _permute(n, rng):
    """Return the numbers below n at random, in as few bytes as they fit into."""
    numbers = np.arange(n, dtype=np.int32 if n < 2**30 else np.int64)
    rng.shuffle(numbers)
    return numbers


def count_window(X, n_rows):
    """Return how many rows are mixed at a time.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_rows, n_features)
        The rows, maybe on disk.

    n_rows : int
        How many there are, or how many of them are taken.

    Returns
    -------
    size : int
        All where they are in memory.
    """
    X = getattr(X, "whole", X)
    values = X.data if sparse.issparse(X) else X
    if find_file(values) is None:
        return n_rows
    return max(1, _WINDOW * X.shape[0] // max(values.nbytes, 1))
