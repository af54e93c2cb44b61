"""Atoms that may enter the support of a lasso, and the distance from the optimum.

Correlating the residual with all atoms costs most. So the most violating atoms are
listed each time, and tried first, as their own correlations cost little.
"""

import numpy as np

from sksparse_nn.kernels._jit import step
from sksparse_nn.kernels.pursuit import largest


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
    """Correlate the residual with the atoms, minus the ridge times the coefficients.

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
def violations(q, level, positive, support, m, barred, n_barred, scores):
    """Rate the atoms outside the support by their violation of optimality.

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
def measure_gap(c, q, level, ridge, slack, positive, support, w, m, scores, bits):
    """Return the duality gap of a unit row, as a share of its objective.

    The dual point is the residual, scaled until it is feasible. With quadratic
    penalties it is feasible as it is: in double precision the better of the two counts.

    Parameters
    ----------
    c, q : array of shape (n_atoms,)
        Correlations of the row and of its residual with the atoms; in `q` less the
        ridge times the coefficients.

    level, ridge : array of shape (n_atoms,)
        Linear and quadratic penalty of each atom.

    slack : float
        Bound on the rounding of a correlation, or of the objective of a unit row, which
        the gap allows for.

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
    fit, norm1, norm2, squares = 0.0, 0.0, 0.0, 1.0
    for s in range(m):
        j = support[s]
        fit += w[s] * c[j]
        squares -= w[s] * (c[j] + q[j])
        norm1 += level[j] * abs(w[s])
        norm2 += ridge[j] * w[s] * w[s]
    squares = max(squares, norm2)
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
    gap = primal - dual + slack
    # Single precision settles flat directions badly, which only the wider gap shows.
    if norm2 > 0 and q.itemsize == 8:
        gap = min(
            gap, _ridge_gap(q, level, ridge, slack, positive, support, w, m, scores)
        )
    return gap / primal if primal > 0 else 0.0


@step
def _ridge_gap(q, level, ridge, slack, positive, support, w, m, scores):
    """Sum the contributions of atoms to the gap of the unscaled residual.

    Uses the conjugate of each atom's penalty, so that no large numbers cancel.
    """
    twice = 0.0
    for j in range(q.size):
        excess = (q[j] if positive else abs(q[j])) + slack - level[j]
        scores[j] = max(excess, 0.0)
    for s in range(m):
        scores[support[s]] = 0
    for j in range(q.size):
        if scores[j] > 0:
            twice += float(scores[j]) * float(scores[j]) / ridge[j]
    for s in range(m):
        j, size = support[s], abs(w[s])
        far = (q[j] if w[s] > 0 else -q[j]) - level[j]
        beyond = far + ridge[j] * size
        if beyond >= 0:
            twice += (abs(far) + slack) ** 2 / ridge[j]
        else:
            twice += size * (ridge[j] * size + 2 * (slack - beyond))
    return 0.5 * twice


@step
def share_of_moves(c, q, gram, level, ridge, support, w, moves, m):
    """Return the relative rise of the objective for small moves of the coefficients.

    Parameters
    ----------
    c, q, level, ridge, support, w, m
        As in `measure_gap`.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    moves : float64 array of shape (room,)
        Moves of the coefficients.

    Returns
    -------
    share : float
        Negative if it falls.
    """
    squares, penalty, rise = 1.0, 0.0, 0.0
    for s in range(m):
        j, after = support[s], w[s] + moves[s]
        squares -= w[s] * (c[j] + q[j])
        penalty += level[j] * abs(w[s])
        rise += level[j] * (abs(after) - abs(w[s])) - q[j] * moves[s]
        rise += 0.5 * ridge[j] * moves[s] * moves[s]
        for t in range(m):
            rise += 0.5 * moves[s] * gram[j, support[t]] * moves[t]
    objective = 0.5 * max(squares, 0.0) + penalty
    return rise / objective if objective > 0 else 0.0


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
def list_next(scores, bits, first, least, listed):
    """List the most violating atoms except the first.

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
    """Take the atom that now violates optimality most off the list.

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
