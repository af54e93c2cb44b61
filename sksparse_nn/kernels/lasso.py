"""Lasso and elastic net by an active set that swaps dependent atoms.

A row keeps a support with signs, its coefficients w and the inverse of the Gram matrix
on it. In turn, the atom that violates optimality most is added, and w moves towards the
optimum on the support with these signs; where a coefficient reaches zero on the way its
atom is dropped. An atom that is a combination of the support cannot be added: moving
weight from the support to it keeps the fit and lowers the penalty, until an atom of the
support reaches zero and makes room.

Each step moves w from the optimum before to the one after, which costs less than to
solve for it. What rounding has added up to is seen in the correlations of the support,
and taken off at the end.

To correlate the residual with all atoms is what costs most. So the next most violating
atoms are listed each time, and first tried in turn: their own correlations cost little.

References
----------
M. R. Osborne, B. Presnell, B. A. Turlach (2000), A new approach to variable selection
in least squares problems. IMA Journal of Numerical Analysis 20(3).
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel, step
from sksparse_nn.kernels.inverse import append_row, drop_row, times_vector
from sksparse_nn.kernels.pursuit import largest, sort_by_index

# Shares of an atom's squared norm outside the span of others. Below the first, what
# rounding has done to the inverse shows, and below the second it stays when the atom
# goes.
REFINED = 1e-3
REBUILT = 1e-6
# Share of a violation that the error of the support may have; corrections in a row.
SAFE = 0.1
MAX_CORRECTIONS = 3
# Atoms that are listed at most, and the share of the largest violation that they need.
LISTED = 6
LISTED_SHARE = 0.2


@step
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
        # Two indices, as a view of a row would be counted as a reference to the matrix.
        k0, k1 = np.uint64(support[low]), np.uint64(support[low + 1])
        k2, k3 = np.uint64(support[low + 2]), np.uint64(support[low + 3])
        w0, w1 = kind(w[low]), kind(w[low + 1])
        w2, w3 = kind(w[low + 2]), kind(w[low + 3])
        for j in range(n):
            out[j] -= (
                w0 * gram[k0, j]
                + w1 * gram[k1, j]
                + (w2 * gram[k2, j] + w3 * gram[k3, j])
            )
        low += 4
    while low < m:
        k0, w0 = np.uint64(support[low]), kind(w[low])
        for j in range(n):
            out[j] -= w0 * gram[k0, j]
        low += 1


@step
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
def column_of(gram, ridge, support, P, m, p, r, u):
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
        Squared norm of the atom less that of its part in the span of the support.
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
    """Take off most of the error that rounding has left in `column_of`.

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
    """Return what an atom must have outside the span of others not to depend on them.

    Parameters
    ----------
    gram, ridge, p
        As in `column_of`.

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
    """Invert the Gram matrix on a support anew, leaving out dependent atoms.

    Parameters
    ----------
    gram, ridge, P, r, u
        As in `column_of`; `P` is overwritten.

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
        Size of what is kept.
    """
    m = 0
    for s in range(n_given):
        p = support[s]
        outside = column_of(gram, ridge, support, P, m, p, r, u)
        if outside > needed_pivot(gram, ridge, pivot_tol, p):
            append_row(P, m, u, outside)
            support[m], signs[m], w[m] = p, signs[s], w[s]
            m += 1
    return m


@step
def drop_atom(gram, ridge, pivot_tol, support, signs, w, P, r, u, m, gone):
    """Take one atom out of the support; the last one takes its place.

    Parameters
    ----------
    gram, ridge, pivot_tol, support, signs, w, P, r, u
        As in `rebuild`; updated.

    m : int
        Size of the support before.

    gone : int
        Which entry goes.

    Returns
    -------
    m : int
        Size of the support after.

    is_new : bool
        Whether the inverse was made anew, as the atom nearly depended on others.
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
        Weight that the new atom starts with, without its sign; below zero if no atom
        reaches zero.
    """
    moved = -1.0
    gone = -1
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
def violations(q, level, positive, support, m, barred, n_barred, scores):
    """Rate the atoms off the support by how far they are from optimality.

    Parameters
    ----------
    q : array of shape (n_atoms,)
        Correlations with the residual.

    level : array of shape (n_atoms,)
        Penalty of each atom.

    positive : bool
        Whether coefficients must not be negative.

    support, m, barred, n_barred
        The support and atoms that cannot enter it, and their numbers.

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
    for s in range(n_barred):
        scores[barred[s]] = none


@step
def gap_of(c, q, level, slack, positive, support, w, m, scores, bits):
    """Return the duality gap of a unit row, as a share of its objective.

    Parameters
    ----------
    c, q : array of shape (n_atoms,)
        Correlations of the row and of its residual with the atoms; in `q` less the
        ridge times the coefficients.

    level : array of shape (n_atoms,)
        Penalty of each atom.

    slack : float
        By how much rounding may have moved a correlation, or the objective of a unit
        row: the gap allows for it.

    positive : bool
        Whether coefficients must not be negative.

    support, w, m
        The code.

    scores, bits : arrays of shape (n_atoms,)
        Scratch; `bits` is the memory of `scores` read as integers.

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
    none, loose = q.dtype.type(0), q.dtype.type(slack)
    if positive:
        for j in range(q.size):
            scores[j] = max(q[j] + loose, none) / level[j]
    else:
        for j in range(q.size):
            scores[j] = (abs(q[j]) + loose) / level[j]
    shrink = 1.0 / max(1.0, float(scores[largest(scores, bits)]))
    primal = 0.5 * squares + norm1
    dual = shrink * (1.0 - fit) - 0.5 * shrink * shrink * squares
    return (primal - dual + slack) / primal if primal > 0 else 0.0


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
        Size of the support; unchanged less any dropped atom where it cannot enter.
    """
    sign = 1.0 if q[p] > 0 else -1.0
    start = -1.0
    needed = needed_pivot(gram, ridge, pivot_tol, p)
    outside = column_of(gram, ridge, support, P, m, p, r, u)
    if outside <= needed or m == support.size:
        m, start = make_room(
            gram, ridge, pivot_tol, sign, support, signs, w, P, r, u, m
        )
        if start >= 0:
            outside = column_of(gram, ridge, support, P, m, p, r, u)
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
def stray(q, level, support, signs, m, r):
    """Measure how far rounding has moved the code from the optimum on its support.

    Parameters
    ----------
    q : array of shape (n_atoms,)
        Correlations with the residual; the penalty with its sign at the optimum.

    level : array of shape (n_atoms,)
        Penalty of each atom.

    support, signs, m
        The support, its signs and its size.

    r : float64 array of shape (room,)
        Overwritten with the differences.

    Returns
    -------
    largest : float
        The largest of them.
    """
    far = 0.0
    for s in range(m):
        j = support[s]
        r[s] = q[j] - level[j] * signs[s]
        far = max(far, abs(r[s]))
    return far


@step
def correct(w, P, m, r, z):
    """Take off what rounding has added to the coefficients.

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


@step
def list_next(scores, bits, first, least, listed):
    """List the most violating atoms but the first.

    Parameters
    ----------
    scores, bits : arrays of shape (n_atoms,)
        Violations, and their memory read as integers; overwritten.

    first : int
        The most violating atom.

    least : float
        Violation that an atom needs.

    listed : int32 array of shape (LISTED,)
        Overwritten with the atoms.

    Returns
    -------
    n_listed : int
        Their number.
    """
    scores[first] = 0
    n_listed = 0
    while n_listed < listed.size:
        p = largest(scores, bits)
        if scores[p] <= least:
            break
        listed[n_listed] = p
        scores[p] = 0
        n_listed += 1
    return n_listed


@step
def take_listed(c, gram, level, positive, least, support, w, m, q, listed, n_listed):
    """Take the atom off the list that violates optimality most by now.

    Parameters
    ----------
    c, gram, level, positive, least, listed, n_listed
        As in `violations` and `list_next`.

    support, w, m
        The code.

    q : array of shape (n_atoms,)
        Overwritten, for the listed atoms, with correlations with the residual.

    Returns
    -------
    p : int
        The atom; -1 if none is left that violates enough.

    n_listed : int
        Number of atoms that stay on the list.
    """
    place = -1
    most = least
    for k in range(n_listed):
        p = np.uint64(listed[k])
        value = float(c[p])
        for s in range(m):
            value -= gram[p, np.uint64(support[s])] * w[s]
        q[p] = value
        score = (value if positive else abs(value)) - level[p]
        if score > most:
            most, place = score, k
    if place < 0:
        return np.int64(-1), 0
    taken = np.int64(listed[place])
    listed[place] = listed[n_listed - 1]
    return taken, n_listed - 1


@step
def lasso_row(
    c, gram, level, ridge, positive, tol, floor, pivot_tol, max_steps, n_given,
    q, scores, bits, support, signs, w, P, r, u, z, barred, listed,
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

    q, scores, bits, support, signs, w, P, r, u, z, barred, listed : arrays
        Scratch, where `support` and `w` hold the code afterwards: shapes (n_atoms,)
        three times, (room,) three times, (room, room), (room,) three times,
        (max_steps,) and (LISTED,); `bits` is the memory of `scores` read as integers.

    Returns
    -------
    m : int
        Number of nonzeros.

    gap : float
        Relative duality gap.
    """
    for s in range(n_given):
        signs[s] = 1.0 if w[s] > 0 else -1.0
    m = rebuild(gram, ridge, pivot_tol, support, signs, w, P, r, u, n_given)
    solve(c, level, support, signs, P, m, r, z)
    n_barred = n_corrected = n_listed = 0
    least = 0.0
    for _ in range(max_steps):
        m = advance(c, gram, level, ridge, pivot_tol, support, signs, w, P, r, u, z, m)
        p, n_listed = take_listed(
            c, gram, level, positive, least, support, w, m, q, listed, n_listed
        )
        if p < 0:
            correlate(c, gram, ridge, support, w, m, q)
            violations(q, level, positive, support, m, barred, n_barred, scores)
            p = np.int64(largest(scores, bits))
            far = stray(q, level, support, signs, m, r)
            goal = tol * level[p] + floor
            # A violation no larger than the error of the support says nothing.
            if far > max(SAFE * scores[p], goal) and n_corrected < MAX_CORRECTIONS:
                correct(w, P, m, r, z)
                n_corrected += 1
                continue
            if scores[p] <= goal:
                break
            n_corrected = 0
            least = max(goal, LISTED_SHARE * scores[p])
            n_listed = list_next(scores, bits, p, least, listed)
        m = enter(
            c, q, gram, level, ridge, pivot_tol, p, support, signs, w, P, r, u, z, m
        )
        if m == 0 or support[m - 1] != p or z[m - 1] * signs[m - 1] <= 0:
            barred[n_barred] = p
            n_barred += 1
    else:
        correlate(c, gram, ridge, support, w, m, q)
    gap = gap_of(c, q, level, floor, positive, support, w, m, scores, bits)
    return m, gap


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
    max_steps = 40 * room + 200
    q = np.empty(n_atoms, codes.dtype)
    signs = np.empty(room)
    w = np.empty(room)
    P = np.empty((room, room))
    r = np.empty(room)
    u = np.empty(room)
    z = np.empty(room)
    barred = np.empty(max_steps, np.int32)
    listed = np.empty(LISTED, np.int32)
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
                max_steps, n_given, q, scores, bits, support, signs, w, P, r, u, z,
                barred, listed,
            )  # fmt: skip
            counts[i] = m
            for s in range(m):
                indices[i, s] = support[s]
                codes[i, s] = w[s] * norms[i]
            sort_by_index(indices[i], codes[i], m)


@kernel
def lasso_gaps(
    correlations, gram, norms, level, ridge, positive, scores, bits, gaps, counts,
    indices, codes,
):  # fmt: skip
    """Measure the relative duality gaps of codes.

    Parameters
    ----------
    correlations, gram, norms, level, ridge, positive, scores, bits
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
        gaps[i] = gap_of(c, q, scaled, 0.0, positive, indices[i], w, m, scores, bits)
