"""The support of a lasso with the inverse of its Gram matrix: atoms enter and leave.

Each step moves the coefficients from the optimum before to the one after, which costs
less than to solve for it. An atom that is a combination of the support cannot be added:
moving weight from the support to it keeps the fit and lowers the penalty, until an atom
of the support reaches zero and makes room.
"""

import numpy as np

from sksparse_nn.kernels._jit import step
from sksparse_nn.kernels.inverse import append_row, drop_row, times_vector

# Shares of an atom's squared norm outside the span of others. Below the first, rounding
# of the inverse is noticeable; below the second, it remains when the atom leaves.
REFINED = 1e-3
REBUILT = 1e-6


@step
def solve(c, level, support, signs, P, m, r, z):
    """Solve for the optimum on the support with these signs.

    Parameters
    ----------
    c : array of shape (n_atoms,)
        Correlations of the row with the atoms.

    level : array of shape (n_atoms,)
        Penalty of each atom.

    support, signs : arrays of shape (room,)
        The support and its signs.

    P : float64 array of shape (room, room)
        Inverse of the Gram matrix on the support.

    m : int
        Size of the support.

    r, z : float64 arrays of shape (room,)
        Scratch; `z` is overwritten with the coefficients.
    """
    for s in range(m):
        r[s] = c[support[s]] - level[support[s]] * signs[s]
    times_vector(P, m, r, z)


@step
def express_atom(gram, ridge, support, P, m, p, r, u):
    """Write an atom in terms of the support.

    Parameters
    ----------
    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    ridge : float64 array of shape (n_atoms,)
        Quadratic penalty of each atom.

    support, P, m
        As in `solve`.

    p : int
        The atom.

    r, u : float64 arrays of shape (room,)
        Scratch; `u` is overwritten with the coefficients.

    Returns
    -------
    outside : float
        Squared norm of the atom outside the span of the support.
    """
    whole = float(gram[p, p]) + ridge[p]
    for s in range(m):
        r[s] = gram[p, support[s]]
    times_vector(P, m, r, u)
    outside = whole
    for s in range(m):
        outside -= r[s] * u[s]
    if outside < REFINED * whole:
        for _ in range(2):
            refine_column(gram, ridge, support, P, m, p, r, u)
        outside = whole
        for s in range(m):
            outside -= gram[p, support[s]] * u[s]
    return outside


@step
def refine_column(gram, ridge, support, P, m, p, r, u):
    """Reduce the rounding error of `express_atom`.

    Parameters
    ----------
    gram, ridge, support, P, m, p, r, u
        As there; `u` is updated.
    """
    for s in range(m):
        left = float(gram[p, support[s]]) - ridge[support[s]] * u[s]
        for t in range(m):
            left -= gram[support[s], support[t]] * u[t]
        r[s] = left
    for s in range(m):
        share = 0.0
        for t in range(m):
            share += P[s, t] * r[t]
        u[s] += share


@step
def needed_pivot(gram, ridge, pivot_tol, p):
    """Return the squared norm outside the span above which an atom is independent.

    Parameters
    ----------
    gram, ridge, p
        As in `express_atom`.

    pivot_tol : float
        Share of the atom's squared norm.

    Returns
    -------
    needed : float
        A ridge that stands above rounding is enough by itself.
    """
    needed = pivot_tol * (float(gram[p, p]) + ridge[p])
    if ridge[p] > 0.01 * needed:
        needed = min(needed, 0.5 * ridge[p])
    return needed


@step
def rebuild(gram, ridge, pivot_tol, support, signs, w, P, r, u, n_given):
    """Recompute the inverse of the Gram matrix on a support without dependent atoms.

    Parameters
    ----------
    gram, ridge, P, r, u
        As in `express_atom`; `P` is overwritten.

    pivot_tol : float
        Share of an atom's squared norm that must be outside the span.

    support, signs, w : arrays of shape (room,)
        A support with its signs and coefficients; entries move up where an atom is
        left out.

    n_given : int
        Size of the support.

    Returns
    -------
    m : int
        Size of the new support.
    """
    m = np.int64(0)  # a literal would be compiled for, too
    for s in range(n_given):
        p = np.int64(support[s])
        outside = express_atom(gram, ridge, support, P, m, p, r, u)
        if outside > needed_pivot(gram, ridge, pivot_tol, p):
            append_row(P, m, u, outside)
            support[m], signs[m], w[m] = p, signs[s], w[s]
            m += 1
    return m


@step
def drop_atom(gram, ridge, pivot_tol, support, signs, w, P, r, u, m, gone):
    """Remove an atom from the support; the last one takes its place.

    Parameters
    ----------
    gram, ridge, pivot_tol, support, signs, w, P, r, u
        As in `rebuild`; updated.

    m : int
        Size of the support before.

    gone : int
        Index of the removed entry.

    Returns
    -------
    m : int
        Size of the support after.

    is_new : bool
        Whether the inverse was recomputed, as the atom nearly depended on others.
    """
    p = support[gone]
    last = m - 1
    near = P[gone, gone] * (float(gram[p, p]) + ridge[p]) * REBUILT > 1
    if not near:
        drop_row(P, m, gone)
    support[gone], signs[gone], w[gone] = support[last], signs[last], w[last]
    if near:
        last = rebuild(gram, ridge, pivot_tol, support, signs, w, P, r, u, last)
    return last, near


@step
def advance(
    c, gram, level, ridge, pivot_tol, support, signs, w, P, r, u, z, m
):  # fmt: skip
    """Move towards the optimum on the support, dropping atoms that reach zero.

    Parameters
    ----------
    c, level
        As in `solve`.

    gram, ridge, pivot_tol, support, signs, w, P, r, u
        As in `rebuild`; updated.

    z : float64 array of shape (room,)
        The optimum on the support; overwritten.

    m : int
        Size of the support.

    Returns
    -------
    m : int
        Its new size.
    """
    while m > 0:
        step = 1.0
        gone = np.int64(-1)
        for s in range(m):
            if z[s] * signs[s] <= 0:
                reach = w[s] / (w[s] - z[s]) if w[s] != z[s] else 0.0
                if gone < 0 or reach < step:
                    step, gone = reach, s
        if gone < 0:
            for s in range(m):
                w[s] = z[s]
            return m
        for s in range(m):
            w[s] += step * (z[s] - w[s])
        share = z[gone] / P[gone, gone]
        for s in range(m):
            z[s] -= share * P[s, gone]
        z[gone] = z[m - 1]
        m, is_new = drop_atom(
            gram, ridge, pivot_tol, support, signs, w, P, r, u, m, gone
        )
        if is_new:
            solve(c, level, support, signs, P, m, r, z)
    return m


@step
def make_room(
    gram, ridge, pivot_tol, sign, support, signs, w, P, r, u, m
):  # fmt: skip
    """Move weight from the support to a dependent atom until one reaches zero.

    Parameters
    ----------
    gram, ridge, pivot_tol, support, signs, w, P, r
        As in `rebuild`; updated.

    sign : float
        Sign of the atom's correlation with the residual.

    u : float64 array of shape (room,)
        The dependent atom in terms of the support.

    m : int
        Size of the support.

    Returns
    -------
    m : int
        Size of the support after.

    moved : float
        Initial weight of the new atom, without its sign; negative if no atom reaches
        zero.
    """
    moved = -1.0
    gone = np.int64(-1)
    for s in range(m):
        if sign * u[s] * signs[s] > 0:
            reach = w[s] / (sign * u[s])
            if gone < 0 or reach < moved:
                moved, gone = reach, s
    if gone >= 0:
        for s in range(m):
            w[s] -= sign * moved * u[s]
        m, _ = drop_atom(gram, ridge, pivot_tol, support, signs, w, P, r, u, m, gone)
    return m, moved


@step
def enter(
    c, q, gram, level, ridge, pivot_tol, p, support, signs, w, P, r, u, z, m
):  # fmt: skip
    """Add an atom to the support, making room for it if it depends on the others.

    Parameters
    ----------
    c, level
        As in `solve`.

    q : array of shape (n_atoms,)
        Correlations with the residual.

    gram, ridge, pivot_tol, support, signs, w, P, r, u
        As in `rebuild`; updated.

    p : int
        The atom.

    z : float64 array of shape (room,)
        Overwritten with the optimum on the new support.

    m : int
        Size of the support.

    Returns
    -------
    m : int
        Size of the support; without dropped atoms if the new atom cannot enter.
    """
    sign = 1.0 if q[p] > 0 else -1.0
    start = -1.0
    needed = needed_pivot(gram, ridge, pivot_tol, p)
    outside = express_atom(gram, ridge, support, P, m, p, r, u)
    if outside <= needed or m == support.size:
        m, start = make_room(
            gram, ridge, pivot_tol, sign, support, signs, w, P, r, u, m
        )
        if start >= 0:
            outside = express_atom(gram, ridge, support, P, m, p, r, u)
        if start < 0 or outside <= needed:
            solve(c, level, support, signs, P, m, r, z)
            return m
    append_row(P, m, u, outside)
    support[m] = p
    signs[m] = sign
    w[m] = sign * max(start, 0.0)
    if start < 0:
        rise = (q[p] - level[p] * sign) / outside
        for s in range(m):
            z[s] = w[s] - rise * u[s]
        z[m] = rise
    else:
        solve(c, level, support, signs, P, m + 1, r, z)
    return m + 1


@step
def correct(w, P, m, r, z):
    """Reduce the rounding error of the coefficients.

    Parameters
    ----------
    w, P, m
        The coefficients, the inverse and the size of the support.

    r : float64 array of shape (room,)
        From `stray`.

    z : float64 array of shape (room,)
        Overwritten with better coefficients.
    """
    times_vector(P, m, r, z)
    for s in range(m):
        z[s] += w[s]
