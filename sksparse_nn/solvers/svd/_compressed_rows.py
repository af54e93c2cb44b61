"""Compress rows into at most as many as columns, with the same products."""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, qr, svd

from sksparse_nn.solvers.svd._blocks import split_blocks

# Rows per column from which products are faster, and picked rows per column.
_MANY = 16
_PICKED = 4

# Numbers that are multiplied at a time.
_CACHED = 2**17

# Largest condition of the products: it costs three of sixteen digits, as many as
# rounding costs in the sum of a million rows.
_EVEN = 1e3
_LIFT = 1e-10


def compress_rows(rows):
    """Return few rows with the singular values and right vectors of many.

    Either method loses as much as LAPACK's decomposition of all rows: a few units in
    the last digit of the largest singular value.

    Parameters
    ----------
    rows : iterable of ndarray of shape (n_rows, width)
        Blocks of rows, which can be iterated more than once; `shape` is that of all of
        them, and ``take_every(step)`` returns every ``step``-th row.

    Returns
    -------
    few : ndarray of shape (n_few, width)
        At most as many rows as columns, or all rows if they are hardly more.
    """
    n_rows, width = rows.shape
    few = _compress_by_products(rows) if n_rows >= _MANY * width else None
    return _compress_by_triangles(rows) if few is None else few


def _compress_by_triangles(rows):
    width, kept = rows.shape[1], np.empty((0, rows.shape[1]))
    for A in rows:
        kept = np.vstack([kept, A]) if len(kept) else A
        if len(kept) > width:
            kept = qr(kept, mode="r", check_finite=False)[0][:width]
    return kept


def _compress_by_products(rows):
    """Multiply columns that picked rows scale to one length and make independent.

    Products of such columns keep all digits. Returns None if the picked rows do not
    represent the others.

    References
    ----------
    Y. Fan, Y. Guo, T. Lin, "A Novel Randomized XR-Based Preconditioned CholeskyQR
    Algorithm", arXiv:2111.11148, 2021.
    """
    lengths, V = _decompose_picked(rows)
    if not lengths[0] > 0:
        return None
    # Shorter lengths are indistinguishable from rounding.
    least = lengths[0] * np.finfo(float).eps * rows.shape[0] / _MANY
    n_long = int((lengths > least).sum())
    lengths = np.maximum(lengths, least)
    W = (V / lengths[:, None]).T
    products = _multiply_columns(rows, W)
    smallest = np.linalg.eigvalsh(products[:n_long, :n_long])[0]
    if not np.trace(products) <= _EVEN * len(V) * smallest:
        return None
    products[range(n_long, len(V)), range(n_long, len(V))] += _LIFT * smallest
    try:
        return cholesky(products, check_finite=False) @ (lengths[:, None] * V)
    except LinAlgError:
        return None


def _multiply_columns(rows, W):
    width = rows.shape[1]
    products, size = np.zeros((width, width)), max(_CACHED // width, width)
    room = np.empty((size, width))
    for A in rows:
        for where in split_blocks(len(A), size):
            even = np.matmul(A[where], W, out=room[: where.stop - where.start])
            products += even.T @ even
    return products


def _decompose_picked(rows):
    n_rows, width = rows.shape
    picked = rows.take_every(n_rows // (_PICKED * width))
    triangle = qr(picked, mode="r", check_finite=False)[0][:width]
    return svd(triangle, check_finite=False)[1:]
