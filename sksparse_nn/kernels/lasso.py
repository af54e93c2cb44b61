"""Lasso and elastic net by an active set that swaps dependent atoms.

A row keeps a support with signs, its coefficients w and a Cholesky factor of the Gram
matrix on it. In turn, the atom that violates optimality most is added, and w moves
towards the optimum on the support with these signs; where a coefficient reaches zero on
the way its atom is dropped. An atom that is a combination of the support cannot be
added: moving weight from the support to it keeps the fit and lowers the penalty, until
an atom of the support reaches zero and makes room.

References
----------
M. R. Osborne, B. Presnell, B. A. Turlach (2000), A new approach to variable selection
in least squares problems. IMA Journal of Numerical Analysis 20(3).
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel
from sksparse_nn.kernels.cholesky import (
    append_row,
    drop_row,
    solve_lower,
    solve_upper,
)
from sksparse_nn.kernels.pursuit import largest, sort_by_index


@kernel
def subtract_gram_rows(gram, support, w, m, out):
    """Subtract w_s times row support_s of the Gram matrix, four rows at a time.

    Parameters
    ----------
    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    support : int32 array of shape (room,)
        Rows; the first m entries count.

    w : float64 array of shape (room,)
        Their factors.

    m : int
        Number of rows.

    out : array of shape (n_atoms,)
        Subtracted from.
    """
    kind = out.dtype.type
    n = np.uint64(out.size)
    low = 0
    while low + 4 <= m:
        w0, w1, w2, w3 = (
            kind(w[low]),
            kind(w[low + 1]),
            kind(w[low + 2]),
            kind(w[low + 3]),
        )
        g0, g1 = gram[support[low]], gram[support[low + 1]]
        g2, g3 = gram[support[low + 2]], gram[support[low + 3]]
        for j in range(n):
            out[j] -= w0 * g0[j] + w1 * g1[j] + (w2 * g2[j] + w3 * g3[j])
        low += 4
    while low < m:
        w0, g0 = kind(w[low]), gram[support[low]]
        for j in range(n):
            out[j] -= w0 * g0[j]
        low += 1


@kernel
def correlate(c, gram, ridge, support, w, m, q):
    """Correlate the residual with the atoms, less the ridge times the coefficients.

    Parameters
    ----------
    c : array of shape (n_atoms,)
        Correlations of the row with the atoms.

    gram, support, w, m
        As in `subtract_gram_rows`.

    ridge : float64 array of shape (n_atoms,)
        Quadratic penalty of each atom.

    q : array of shape (n_atoms,)
        Overwritten.
    """
    for j in range(np.uint64(q.size)):  # a slice assignment is many times slower
        q[j] = c[j]
    subtract_gram_rows(gram, support, w, m, q)
    for s in range(m):
        q[support[s]] -= q.dtype.type(ridge[support[s]] * w[s])


@kernel
def drop_atom(support, signs, w, L, m, gone):
    """Take one atom out of the support.

    Parameters
    ----------
    support, signs, w : arrays of shape (room,)
        Entries behind `gone` move up.

    L : float64 array of shape (room, room)
        Cholesky factor on the support; updated.

    m : int
        Size of the support before.

    gone : int
        Which entry goes.
    """
    drop_row(L, m, gone)
    for s in range(gone, m - 1):
        support[s], signs[s], w[s] = support[s + 1], signs[s + 1], w[s + 1]


@kernel
def settle(c, level, support, signs, w, L, z, m):
    """Move to the optimum on the support, dropping atoms that reach zero.

    Parameters
    ----------
    c : array of shape (n_atoms,)
        Correlations of the row with the atoms.

    level : array of shape (n_atoms,)
        Penalty of each atom.

    support, signs, w, L
        The support, its signs and coefficients and the Cholesky factor; updated.

    z : float64 array of shape (room,)
        Scratch.

    m : int
        Size of the support.

    Returns
    -------
    m : int
        Its new size.
    """
    while m > 0:
        for s in range(m):
            z[s] = c[support[s]] - level[support[s]] * signs[s]
        solve_lower(L, m, z)
        solve_upper(L, m, z)
        step = 1.0
        gone = -1
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
        drop_atom(support, signs, w, L, m, gone)
        m -= 1
    return m


@kernel
def make_room(z, sign, support, signs, w, L, m):
    """Move weight from the support to a dependent atom until one reaches zero.

    Parameters
    ----------
    z : float64 array of shape (room,)
        The dependent atom in terms of the support.

    sign : float
        Sign of its correlation with the residual.

    support, signs, w, L
        As in `settle`; updated.

    m : int
        Size of the support.

    Returns
    -------
    moved : float
        Weight that the new atom starts with, without its sign; below zero if no atom
        reaches zero.
    """
    moved = -1.0
    gone = -1
    for s in range(m):
        if sign * z[s] * signs[s] > 0:
            reach = w[s] / (sign * z[s])
            if gone < 0 or reach < moved:
                moved, gone = reach, s
    if gone >= 0:
        for s in range(m):
            w[s] -= sign * moved * z[s]
        drop_atom(support, signs, w, L, m, gone)
    return moved


@kernel
def column_of(gram, support, L, m, p, z):
    """Solve for the products of a new atom with the support; return its pivot.

    Parameters
    ----------
    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    support, L, m
        The support, its Cholesky factor and its size.

    p : int
        The new atom.

    z : float64 array of shape (room,)
        Overwritten with the solution of L z = products.

    Returns
    -------
    outside : float
        Squared norm of the atom less that of its part in the span of the support.
    """
    for s in range(m):
        z[s] = gram[p, support[s]]
    solve_lower(L, m, z)
    outside = float(gram[p, p])
    for s in range(m):
        outside -= z[s] * z[s]
    return outside


@kernel
def violations(q, level, positive, support, m, scores):
    """Rate the atoms off the support by how far they are from optimality.

    Parameters
    ----------
    q : array of shape (n_atoms,)
        Correlations with the residual.

    level : array of shape (n_atoms,)
        Penalty of each atom.

    positive : bool
        Whether coefficients must not be negative.

    support, m
        The support and its size.

    scores : array of shape (n_atoms,)
        Overwritten, none negative.
    """
    none = q.dtype.type(0)
    if positive:
        for j in range(q.size):
            scores[j] = max(q[j] - level[j], none)
    else:
        for j in range(q.size):
            scores[j] = max(abs(q[j]) - level[j], none)
    for s in range(m):
        scores[support[s]] = none


@kernel
def gap_of(c, q, level, slack, positive, support, w, m):
    """Return the duality gap of a unit row, as a share of its objective.

    Parameters
    ----------
    c, q : array of shape (n_atoms,)
        Correlations of the row and of its residual with the atoms; in `q` less the
        ridge times the coefficients.

    level : array of shape (n_atoms,)
        Penalty of each atom.

    slack : float
        By how much rounding may have moved a correlation: the gap allows for it.

    positive : bool
        Whether coefficients must not be negative.

    support, w, m
        The code.

    Returns
    -------
    gap : float
        Zero at the optimum.
    """
    fit, norm1, squares = 0.0, 0.0, 1.0
    for s in range(m):
        j = support[s]
        fit += w[s] * c[j]
        squares -= w[s] * (c[j] + q[j])
        norm1 += level[j] * abs(w[s])
    squares = max(squares, 0.0)
    shrink = 1.0
    for j in range(q.size):
        size = (q[j] if positive else abs(q[j])) + slack
        if size > level[j]:
            shrink = min(shrink, level[j] / size)
    primal = 0.5 * squares + norm1
    dual = shrink * (1.0 - fit) - 0.5 * shrink * shrink * squares
    return (primal - dual) / primal if primal > 0 else 0.0


@kernel
def enter(
    q, gram, ridge, pivot_tol, p, support, signs, w, L, z, m
):  # fmt: skip
    """Add an atom to the support, making room for it if it depends on the others.

    Parameters
    ----------
    q : array of shape (n_atoms,)
        Correlations with the residual.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    ridge : float64 array of shape (n_atoms,)
        Quadratic penalty of each atom.

    pivot_tol : float
        Share of an atom's squared norm that must be outside the span.

    p : int
        The atom.

    support, signs, w, L, z, m
        As in `settle`; updated.

    Returns
    -------
    m : int
        Size of the support; unchanged less any dropped atom where it cannot enter.
    """
    sign = 1.0 if q[p] > 0 else -1.0
    start = 0.0
    needed = pivot_tol * (float(gram[p, p]) + ridge[p])
    outside = column_of(gram, support, L, m, p, z) + ridge[p]
    if outside <= needed or m == support.size:
        solve_upper(L, m, z)
        start = make_room(z, sign, support, signs, w, L, m)
        if start < 0:
            return m
        m -= 1
        outside = column_of(gram, support, L, m, p, z) + ridge[p]
        if outside <= needed:
            return m
    append_row(L, m, z, outside)
    support[m] = p
    signs[m] = sign
    w[m] = sign * start
    return m + 1


@kernel
def resume(gram, ridge, pivot_tol, support, signs, w, L, z, n_given):
    """Factor the support of a code to start from, leaving out dependent atoms.

    Parameters
    ----------
    gram, ridge, pivot_tol, L, z
        As in `enter`.

    support, signs, w : arrays of shape (room,)
        A support with its coefficients, none zero; signs are overwritten, and entries
        move up where one is left out.

    n_given : int
        Size of the support to start from.

    Returns
    -------
    m : int
        Size of what is kept.
    """
    m = 0
    for s in range(n_given):
        p = support[s]
        outside = column_of(gram, support, L, m, p, z) + ridge[p]
        if outside > pivot_tol * (float(gram[p, p]) + ridge[p]):
            append_row(L, m, z, outside)
            support[m] = p
            w[m] = w[s]
            signs[m] = 1.0 if w[s] > 0 else -1.0
            m += 1
    return m


@kernel
def lasso_row(
    c, gram, level, ridge, positive, tol, floor, pivot_tol, max_steps, n_given,
    q, scores, bits, support, signs, w, L, z, barred,
):  # fmt: skip
    """Code one unit row.

    Parameters
    ----------
    c : array of shape (n_atoms,)
        Correlations of the row with the atoms.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    level, ridge : float64 array of shape (n_atoms,)
        Linear and quadratic penalty of each atom.

    positive : bool
        Whether coefficients must not be negative.

    tol, floor : float
        The row is done when no atom violates optimality by more than `tol` times its
        penalty plus `floor`.

    pivot_tol : float
        Share of an atom's squared norm that must be outside the span of the support.

    max_steps : int
        Atoms tried at most.

    n_given : int
        Nonzeros of the code in `support` and `w` to start from.

    q, scores, bits, support, signs, w, L, z, barred : arrays
        Scratch, where `support` and `w` hold the code afterwards: shapes (n_atoms,)
        three times, (room,) three times, (room, room), (room,) and (max_steps,);
        `bits` is the memory of `scores` read as integers.

    Returns
    -------
    m : int
        Number of nonzeros.

    gap : float
        Relative duality gap.
    """
    m = resume(gram, ridge, pivot_tol, support, signs, w, L, z, n_given)
    m = settle(c, level, support, signs, w, L, z, m)
    n_barred = 0
    for _ in range(max_steps):
        correlate(c, gram, ridge, support, w, m, q)
        violations(q, level, positive, support, m, scores)
        for s in range(n_barred):
            scores[barred[s]] = 0
        p = largest(scores, bits)
        if scores[p] <= tol * level[p] + floor:
            break
        before = m
        m = enter(q, gram, ridge, pivot_tol, p, support, signs, w, L, z, m)
        entered = m > 0 and support[m - 1] == p
        m = settle(c, level, support, signs, w, L, z, m)
        if not entered or (m == before and support[m - 1] != p):
            barred[n_barred] = p
            n_barred += 1
    return m, gap_of(c, q, level, floor, positive, support, w, m)


@kernel
def lasso(
    correlations, gram, norms, level, ridge, positive, tol, floor, pivot_tol,
    scores, bits, gaps, counts, indices, codes,
):  # fmt: skip
    """Code unit rows, one after another, and scale the codes by the rows' norms.

    Parameters
    ----------
    correlations : array of shape (n_rows, n_atoms)
        Products of rows and atoms.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    norms : float64 array of shape (n_rows,)
        What the rows were divided by; a row of norm zero gets an empty code.

    level : float64 array of shape (n_atoms,)
        Linear penalty of each atom, in the units of the rows before the division.

    ridge, positive, tol, floor, pivot_tol, scores, bits
        As in `lasso_row`.

    gaps : float64 array of shape (n_rows,)
        Overwritten with the relative duality gaps.

    counts : int32 array of shape (n_rows,)
        Nonzeros of the codes to start from; overwritten with those of the result.

    indices : int32 array of shape (n_rows, room)
        Atoms of the codes; overwritten, in ascending order.

    codes : array of shape (n_rows, room)
        Their values; overwritten.
    """
    n_atoms = gram.shape[0]
    room = codes.shape[1]
    max_steps = 10 * room + 100
    q = np.empty(n_atoms, codes.dtype)
    signs = np.empty(room)
    w = np.empty(room)
    L = np.empty((room, room))
    z = np.empty(room)
    barred = np.empty(max_steps, np.int32)
    support = np.empty(room, np.int32)
    scaled = np.empty(n_atoms, codes.dtype)
    for i in range(norms.size):
        n_given = counts[i]
        counts[i] = 0
        gaps[i] = 0.0
        if norms[i] > 0:
            for j in range(n_atoms):
                scaled[j] = level[j] / norms[i]
            for s in range(n_given):
                support[s] = indices[i, s]
                w[s] = codes[i, s] / norms[i]
            m, gaps[i] = lasso_row(
                correlations[i], gram, scaled, ridge, positive, tol, floor, pivot_tol,
                max_steps, n_given, q, scores, bits, support, signs, w, L, z, barred,
            )  # fmt: skip
            counts[i] = m
            for s in range(m):
                indices[i, s] = support[s]
                codes[i, s] = w[s] * norms[i]
            sort_by_index(indices[i], codes[i], m)


@kernel
def lasso_gaps(
    correlations, gram, norms, level, ridge, positive, gaps, counts, indices, codes
):
    """Measure the relative duality gaps of codes.

    Parameters
    ----------
    correlations, gram, norms, level, ridge, positive
        As in `lasso`.

    gaps : float64 array of shape (n_rows,)
        Overwritten.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, room)
        The codes.
    """
    n_atoms = gram.shape[0]
    q = np.empty(n_atoms, gram.dtype)
    w = np.empty(codes.shape[1])
    scaled = np.empty(n_atoms, gram.dtype)
    for i in range(norms.size):
        m = counts[i]
        for s in range(m):
            w[s] = codes[i, s] / norms[i]
        for j in range(n_atoms):
            scaled[j] = level[j] / norms[i]
        correlate(correlations[i], gram, ridge, indices[i], w, m, q)
        c = correlations[i]
        gaps[i] = gap_of(c, q, scaled, 0.0, positive, indices[i], w, m)
