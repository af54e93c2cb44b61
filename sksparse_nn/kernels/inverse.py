"""The inverse of a symmetric matrix that grows and shrinks by one row.

Its products are sums of rows, which compile to vector instructions where the two
triangular solves with a Cholesky factor wait for one number after another.
"""

import numpy as np

from sksparse_nn.kernels._jit import step


@step
def times_vector(P, m, g, u):
    """Multiply the inverse by a vector.

    Parameters
    ----------
    P : float64 array of shape (room, room)
        Symmetric in its first m rows and columns.

    m : int
        Size of the matrix.

    g : float64 array of shape (room,)
        The vector.

    u : float64 array of shape (room,)
        The first m entries are overwritten.
    """
    size = np.uint64(m)
    for j in range(size):
        u[j] = 0.0
    low = 0
    while low + 4 <= m:
        k0, k1 = np.uint64(low), np.uint64(low + 1)
        k2, k3 = np.uint64(low + 2), np.uint64(low + 3)
        g0, g1, g2, g3 = g[k0], g[k1], g[k2], g[k3]
        for j in range(size):
            u[j] += g0 * P[k0, j] + g1 * P[k1, j] + (g2 * P[k2, j] + g3 * P[k3, j])
        low += 4
    for k in range(np.uint64(low), size):
        g0 = g[k]
        for j in range(size):
            u[j] += g0 * P[k, j]


@step
def append_row(P, m, u, pivot):
    """Extend the matrix by one row.

    Parameters
    ----------
    P : float64 array of shape (room, room)
        Updated; row and column m are new.

    m : int
        Size before.

    u : float64 array of shape (room,)
        Inverse times the new column.

    pivot : float
        New diagonal entry less the product of the new column and u; positive.
    """
    size = np.uint64(m)
    inverse = 1.0 / pivot
    for i in range(size):
        share = u[i] * inverse
        for j in range(size):
            P[i, j] += share * u[j]
        P[i, size] = -share
        P[size, i] = -share
    P[size, size] = inverse


@step
def drop_row(P, m, gone):
    """Remove a row and column; the last ones take their place.

    Parameters
    ----------
    P : float64 array of shape (room, room)
        Updated.

    m : int
        Size before.

    gone : int
        Index of the removed row.
    """
    last = np.uint64(m - 1)
    for j in range(m):
        P[gone, j], P[last, j] = P[last, j], P[gone, j]
    for i in range(m):
        P[i, gone], P[i, last] = P[i, last], P[i, gone]
    inverse = 1.0 / P[last, last]
    for i in range(last):
        share = P[i, last] * inverse
        for j in range(last):
            P[i, j] -= share * P[last, j]
