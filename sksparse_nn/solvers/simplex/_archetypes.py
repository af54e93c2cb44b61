"""Archetypal analysis: keys are mixtures of rows, and rows are mixtures of keys."""

from functools import reduce

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import has_settled

_STEPS = 10

# Products that differ by at most this many epsilons count as equal.
_ROUNDING = 1000


def learn_archetypes(problem, learnt, max_epochs):
    """Move keys within the convex hull of the rows to lower the reconstruction error.

    Codes and keys alternately lower half the squared error. Keys move by steps of the
    Frank-Wolfe method: each towards the row that is furthest against its gradient, by
    the best step length. So they remain mixtures of rows.

    Parameters
    ----------
    problem : Problem
        Rows, with converged codes.

    learnt : Learnt
        Keys to start from, in the hull of the rows; overwritten.

    max_epochs : int
        Maximum number of passes over the rows.

    References
    ----------
    A. Cutler, L. Breiman (1994), Archetypal analysis. Technometrics 36.

    C. Bauckhage, K. Kersting, F. Hoppe, C. Thurau (2015), Archetypal analysis as an
    autoencoder. Workshop New Challenges in Neural Computation.
    """
    learnt.history = []

    def move():
        keys = Keys.of(learnt.keys)
        error, A, pulls = _sum_pulls(problem, keys)
        problem.record_pass(learnt, error)
        if has_settled(learnt.history):
            return True
        learnt.keys = _move_keys(problem, keys, A, pulls)
        return False

    problem.run_passes(move, max_epochs)


def _sum_pulls(problem, keys):
    """Return the mean error, the products of codes, and minus the gradients of keys."""
    coding = problem.choose_coding(keys)
    sums = problem.sum_over(coding, keys)
    if sums.n_hidden:
        left = problem.measure_left(coding, keys)
        return left.error / 2 / sums.weight, sums.A, left.pulls
    error = sums.mean_error(keys.read_centred, keys.feature_blocks)
    for some in keys.feature_blocks:
        sums.B[:, some] -= sums.A @ keys.read_centred(some)
    return error, sums.A, sums.B


def _move_keys(problem, keys, A, pulls):
    moves = np.zeros(keys.given.shape)
    for _ in range(_STEPS):
        targets = _find_furthest_down(problem, -pulls)
        if not _move_further(keys.given, moves, targets, A, pulls):
            break
    return (keys.given + moves).astype(keys.given.dtype)


def _move_further(given, moves, targets, A, pulls):
    """Move each key towards its target by the best step; return whether any moved."""
    has_moved = False
    for j in range(len(given)):
        way = targets[j] - given[j] - moves[j]
        downhill, bend = pulls[j] @ way, A[j, j] * (way @ way)
        if downhill > 0 and bend > 0:
            way *= min(downhill / bend, 1.0)
            moves[j] += way
            for share, pull in zip(A[j], pulls, strict=True):
                pull -= share * way
            has_moved = True
    return has_moved


def _find_furthest_down(problem, gradients):
    """Find the row with the smallest product for each gradient.

    Where a point is best between two rows, both have the same product, and rounding
    would choose one. So take the mean of all rows whose product is smallest up to
    rounding.
    """
    X, weights = problem.X, problem.weights
    peak = np.abs(gradients).max() or 1.0
    columns = np.ascontiguousarray((gradients / peak).T.astype(X.dtype))
    lengths = np.linalg.norm(columns, axis=0).astype(np.float64)

    def of_block(which):
        rows = read_rows(X, which)
        products = rows.times(columns) * rows.norms[:, None]
        lowest = products.min(axis=0)
        # Of the lowest row: one that is far longer than others must not hide these.
        largest = rows.norms[products.argmin(axis=0)] * lengths
        largest = np.minimum(largest, np.abs(products).max(axis=0))
        margin = _ROUNDING * np.finfo(X.dtype).eps * largest
        shares = np.where(products <= lowest + margin, weights[which, None], 0)
        few = np.flatnonzero(shares.any(axis=1))
        sums = (X[which][few].T @ shares[few]).T
        return lowest, margin, shares.sum(axis=0), sums

    blocks = map_in_order(of_block, block_slices(X.shape[0]), problem.n_jobs)
    _, _, shares, sums = reduce(_join_lowest, blocks)
    return sums / shares[:, None]


def _join_lowest(one, other):
    """Join the results of two blocks of rows, leaving out products that are higher."""
    lowest = np.minimum(one[0], other[0])
    margin = np.where(one[0] <= other[0], one[1], other[1])
    kept = [part[0] <= lowest + margin for part in (one, other)]
    shares = kept[0] * one[2] + kept[1] * other[2]
    sums = kept[0][:, None] * one[3] + kept[1][:, None] * other[3]
    return lowest, margin, shares, sums
