"""The inverse of a symmetric matrix that grows and shrinks by one row.

Its products are sums of rows, which compile to vector instructions where the two
triangular solves with a Cholesky factor wait for one number after another.
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
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
        g0, g1, g2, g3 = g[low], g[low + 1], g[low + 2], g[low + 3]
        p0, p1, p2, p3 = P[low], P[low + 1], P[low + 2], P[low + 3]
        for j in range(size):
            u[j] += g0 * p0[j] + g1 * p1[j] + (g2 * p2[j] + g3 * p3[j])
        low += 4
    while low < m:
        g0, p0 = g[low], P[low]
        for j in range(size):
            u[j] += g0 * p0[j]
        low += 1


@kernel
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
        row = P[i]
        for j in range(size):
            row[j] += share * u[j]
        row[m] = -share
        P[m, i] = -share
    P[m, m] = inverse


@kernel
def drop_row(P, m, gone):
    """Shrink the matrix by one row and column, whose place the last ones take.

    Parameters
    ----------
    P : float64 array of shape (room, room)
        Updated.

    m : int
        Size before.

    gone : int
        Which row goes.
    """
    last = np.uint64(m - 1)
    for j in range(m):
        P[gone, j], P[last, j] = P[last, j], P[gone, j]
    for i in range(m):
        P[i, gone], P[i, last] = P[i, last], P[i, gone]
    inverse = 1.0 / P[last, last]
    away = P[last]
    for i in range(last):
        share = P[i, last] * inverse
        row = P[i]
        for j in range(last):
            row[j] -= share * away[j]
