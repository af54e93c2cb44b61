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
    for _ in range(max_epochs):
        keys = Keys.of(learnt.keys)
        sums = problem.sum_over(problem.choose_coding(keys), keys)
        problem.record_pass(
            learnt, sums.mean_error(keys.read_centred, keys.feature_blocks)
        )
        if has_settled(learnt.history):
            break
        learnt.keys = _move_keys(problem, keys, sums)


def _move_keys(problem, keys, sums):
    points = keys.read_centred()
    for _ in range(_STEPS):
        gradients = sums.A @ points - sums.B
        targets = _find_furthest_down(problem, gradients) - keys.centre
        if not _move_points(points, targets, sums):
            break
    return (keys.centre + points).astype(keys.given.dtype)


def _move_points(points, targets, sums):
    """Move each point towards its target by the best step; return whether any moved."""
    has_moved = False
    for j in range(len(points)):
        way = targets[j] - points[j]
        downhill = (sums.B[j] - sums.A[j] @ points) @ way
        bend = sums.A[j, j] * (way @ way)
        if downhill > 0 and bend > 0:
            points[j] += min(downhill / bend, 1.0) * way
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

    def of_block(which):
        rows = read_rows(X, which)
        products = rows.times(columns) * rows.norms[:, None]
        lowest = products.min(axis=0)
        margin = _ROUNDING * np.finfo(X.dtype).eps * np.abs(products).max(axis=0)
        shares = np.where(products <= lowest + margin, weights[which, None], 0)
        few = np.flatnonzero(shares.any(axis=1))
        sums = (X[which][few].T @ shares[few]).T
        return lowest, margin, shares.sum(axis=0), sums

    blocks = map_in_order(of_block, block_slices(X.shape[0]), problem.n_jobs)
    _, _, shares, sums = reduce(_join_lowest, blocks)
    return sums / shares[:, None]


def _join_lowest(one, other):
    """Join the results of two blocks of rows, leaving out products that are higher."""
    lowest, margin = np.minimum(one[0], other[0]), np.maximum(one[1], other[1])
    kept = [part[0] <= lowest + margin for part in (one, other)]
    shares = kept[0] * one[2] + kept[1] * other[2]
    sums = kept[0][:, None] * one[3] + kept[1][:, None] * other[3]
    return lowest, margin, shares, sums
