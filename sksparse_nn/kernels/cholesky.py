"""A Cholesky factor that grows and shrinks by one row."""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def solve_lower(L, m, z):
    """Solve L z = z in place.

    Parameters
    ----------
    L : float64 array of shape (room, room)
        Lower triangular in its first m rows.

    m : int
        Size of the system.

    z : float64 array of shape (room,)
        Right side; the first m entries are overwritten.
    """
    for i in range(m):
        value = z[i]
        for k in range(i):
            value -= L[i, k] * z[k]
        z[i] = value / L[i, i]


@kernel
def solve_upper(L, m, z):
    """Solve L' z = z in place.

    Parameters
    ----------
    L : float64 array of shape (room, room)
        Lower triangular in its first m rows.

    m : int
        Size of the system.

    z : float64 array of shape (room,)
        Right side; the first m entries are overwritten.
    """
    for i in range(m - 1, -1, -1):
        value = z[i] / L[i, i]
        z[i] = value
        for k in range(i):
            z[k] -= L[i, k] * value


@kernel
def append_row(L, m, z, pivot):
    """Extend the factor of a matrix by one row.

    Parameters
    ----------
    L : float64 array of shape (room, room)
        Row m is overwritten.

    m : int
        Size before.

    z : float64 array of shape (room,)
        Solution of L z = new column.

    pivot : float
        New diagonal entry less the squared norm of z; positive.
    """
    for k in range(m):
        L[m, k] = z[k]
    L[m, m] = np.sqrt(pivot)


@kernel
def drop_row(L, m, gone):
    """Shrink the factor of a matrix by one row and column.

    Parameters
    ----------
    L : float64 array of shape (room, room)
        Rows from `gone` on are overwritten.

    m : int
        Size before.

    gone : int
        Which row goes.
    """
    for i in range(gone, m - 1):
        for k in range(i + 2):
            L[i, k] = L[i + 1, k]
    for i in range(gone, m - 1):
        a, b = L[i, i], L[i, i + 1]
        norm = np.sqrt(a * a + b * b)
        cosine, sine = a / norm, b / norm
        for row in range(i, m - 1):
            left, right = L[row, i], L[row, i + 1]
            L[row, i] = cosine * left + sine * right
            L[row, i + 1] = cosine * right - sine * left
        if L[i, i] < 0:
            for row in range(i, m - 1):
                L[row, i] = -L[row, i]
