"""Lasso and elastic net by an active set that swaps dependent atoms.

A row keeps a support with signs, its coefficients w and the inverse of the Gram matrix
on it. In turn, the atom that violates optimality most is added, and w moves towards the
optimum on the support with these signs; where a coefficient reaches zero on the way its
atom is dropped. Accumulated rounding shows in the correlations of the support, and is
corrected at the end.

References
----------
M. R. Osborne, B. Presnell, B. A. Turlach (2000), A new approach to variable selection
in least squares problems. IMA Journal of Numerical Analysis 20(3).
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel, step
from sksparse_nn.kernels.active_set import advance, correct, enter, rebuild, solve
from sksparse_nn.kernels.optimality import (
    correlate,
    list_next,
    measure_gap,
    share_of_moves,
    stray,
    take_listed,
    violations,
)
from sksparse_nn.kernels.pursuit import largest, sort_by_index

# Share of a violation that the error of the support may have; corrections in a row.
SAFE = 0.1
MAX_CORRECTIONS = 3
# Most listed atoms, and the share of the largest violation that they need.
LISTED = 6
LISTED_SHARE = 0.2


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
        Maximum number of atoms tried.

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
    n_given = np.int64(n_given)
    m = rebuild(gram, ridge, pivot_tol, support, signs, w, P, r, u, n_given)
    solve(c, level, support, signs, P, m, r, z)
    n_barred = n_corrected = n_listed = np.int64(0)
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
            # A violation no larger than the error of the support is meaningless.
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
    gap = measure_gap(c, q, level, ridge, floor, positive, support, w, m, scores, bits)
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
        Norms that divided the rows; a row of norm zero gets an empty code.

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
    indices, codes, rounded,
):  # fmt: skip
    """Measure the relative duality gaps of rounded codes.

    The dual point is the residual of the codes as they were before: after rounding it
    would be none, and all that rounding costs is what the objective rises by.

    Parameters
    ----------
    correlations, gram, norms, level, ridge, positive, scores, bits
        As in `lasso`.

    gaps : float64 array of shape (n_rows,)
        Overwritten.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, room)
        The codes.

    rounded : float64 array of shape (n_rows, room)
        Rounded values.
    """
    n_atoms = gram.shape[0]
    q = np.empty(n_atoms, gram.dtype)
    w = np.empty(codes.shape[1])
    moves = np.empty(codes.shape[1])
    scaled = np.empty(n_atoms, gram.dtype)
    for i in range(norms.size):
        m = counts[i]
        for s in range(m):
            w[s] = codes[i, s] / norms[i]
            moves[s] = (rounded[i, s] - codes[i, s]) / norms[i]
        for j in range(n_atoms):
            scaled[j] = level[j] / norms[i]
        correlate(correlations[i], gram, ridge, indices[i], w, m, q)
        c = correlations[i]
        gaps[i] = measure_gap(
            c, q, scaled, ridge, 0.0, positive, indices[i], w, m, scores, bits
        ) + share_of_moves(c, q, gram, scaled, ridge, indices[i], w, moves, m)
