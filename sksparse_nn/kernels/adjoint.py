"""Sums that differentiate codes, which solve linear equations on their supports."""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def solve_on_supports(counts, indices, gram, ridges, pivot_tol, gradients, solutions):
    """Solve the equations of each code's support for another right-hand side.

    The equations are those of Cholesky's method. An atom that depends on those before
    it takes no part: its solution is zero.

    Parameters
    ----------
    counts : int32 array of shape (n_rows,)
        Nonzeros of each code.

    indices : int32 array of shape (n_rows, room)
        Their atoms, at the front.

    gram : array of shape (n_atoms, n_atoms)
        Products of the unit atoms.

    ridges : float64 array of shape (n_atoms,)
        Added to the diagonal.

    pivot_tol : float
        Share of a unit atom's squared norm that must be outside the span of the others.

    gradients : array of shape (n_rows, n_atoms)
        Right-hand sides; those of the support are read.

    solutions : array of shape (n_rows, room)
        Overwritten at the front.
    """
    room = indices.shape[1]
    L, inverses, z = np.empty((room, room)), np.empty(room), np.empty(room)
    for i in range(counts.size):
        m = counts[i]
        for s in range(m):
            atom = indices[i, s]
            value = np.float64(gradients[i, atom])
            for t in range(s):
                product = np.float64(gram[atom, indices[i, t]])
                for q in range(t):
                    product -= L[s, q] * L[t, q]
                L[s, t] = product * inverses[t]
                value -= L[s, t] * z[t]
            pivot = np.float64(gram[atom, atom]) + ridges[atom]
            for q in range(s):
                pivot -= L[s, q] * L[s, q]
            inverses[s] = 1 / np.sqrt(pivot) if pivot > pivot_tol else 0.0
            z[s] = value * inverses[s]
        for s in range(m - 1, -1, -1):
            value = z[s]
            for q in range(s + 1, m):
                value -= L[q, s] * z[q]
            z[s] = value * inverses[s]
            solutions[i, s] = z[s]


@kernel
def add_cross_products(counts, indices, values, others, M):
    """Add the outer products of values and others on each support, both ways round.

    Parameters
    ----------
    counts, indices
        As in `solve_on_supports`.

    values, others : array of shape (n_rows, room)
        Numbers of each support, at the front.

    M : float64 array of shape (n_atoms, n_atoms)
        Added to; stays symmetric.
    """
    for i in range(counts.size):
        for s in range(counts[i]):
            a, b = np.float64(values[i, s]), np.float64(others[i, s])
            for t in range(counts[i]):
                product = a * others[i, t] + b * values[i, t]
                M[indices[i, s], indices[i, t]] += product
