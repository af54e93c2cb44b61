"""As many rows as columns that stand for many: they have the same products."""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, qr, svd

from sksparse_nn.solvers.svd._blocks import blocks_of

# Rows a column from which products are quicker, and rows a column that are picked.
_MANY = 16
_PICKED = 4

# Numbers of rows that are multiplied at a time.
_CACHED = 2**17

# Largest share of the products' condition that is left to them: it costs three digits
# of sixteen, of which rounding has as many in the sum of a million rows.
_EVEN = 1e3
_LIFT = 1e-10


def compressed(rows):
    """Return few rows whose singular values and right vectors are those of many.

    Both ways lose what LAPACK's decomposition of all rows would lose, a few units in
    the last digit of the largest singular value.

    Parameters
    ----------
    rows : iterable of ndarray of shape (n_rows, width)
        Blocks of rows, to be read more than once; `shape` is that of all of them, and
        ``every(step)`` returns one of so many.

    Returns
    -------
    few : ndarray of shape (n_few, width)
        At most as many as there are columns, or all rows where these are hardly more.
    """
    n_rows, width = rows.shape
    few = _by_products(rows) if n_rows >= _MANY * width else None
    return _by_triangles(rows) if few is None else few


def _by_triangles(rows):
    width, kept = rows.shape[1], np.empty((0, rows.shape[1]))
    for A in rows:
        kept = np.vstack([kept, A]) if len(kept) else A
        if len(kept) > width:
            kept = qr(kept, mode="r", check_finite=False)[0][:width]
    return kept


def _by_products(rows):
    """Multiply columns that some picked rows say are of one length and independent.

    Products of such columns have all digits. Returns None where the picked rows are
    not like the others.

    References
    ----------
    Y. Fan, Y. Guo, T. Lin, "A Novel Randomized XR-Based Preconditioned CholeskyQR
    Algorithm", arXiv:2111.11148, 2021.
    """
    lengths, V = _of_picked(rows)
    if not lengths[0] > 0:
        return None
    # What is shorter cannot be told from rounding.
    least = lengths[0] * np.finfo(float).eps * rows.shape[0] / _MANY
    n_long = int((lengths > least).sum())
    lengths = np.maximum(lengths, least)
    W = (V / lengths[:, None]).T
    products = _products(rows, W)
    smallest = np.linalg.eigvalsh(products[:n_long, :n_long])[0]
    if not np.trace(products) <= _EVEN * len(V) * smallest:
        return None
    products[range(n_long, len(V)), range(n_long, len(V))] += _LIFT * smallest
    try:
        return cholesky(products, check_finite=False) @ (lengths[:, None] * V)
    except LinAlgError:
        return None


def _products(rows, W):
    width = rows.shape[1]
    products, size = np.zeros((width, width)), max(_CACHED // width, width)
    room = np.empty((size, width))
    for A in rows:
        for where in blocks_of(len(A), size):
            even = np.matmul(A[where], W, out=room[: where.stop - where.start])
            products += even.T @ even
    return products


def _of_picked(rows):
    n_rows, width = rows.shape
    picked = rows.every(n_rows // (_PICKED * width))
    triangle = qr(picked, mode="r", check_finite=False)[0][:width]
    return svd(triangle, check_finite=False)[1:]
