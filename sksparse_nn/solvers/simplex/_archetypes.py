"""Archetypes: mixtures of rows, of which all rows are to be mixtures."""

from functools import reduce

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import settled

_STEPS = 10

# Products that differ by so many epsilons are equal.
_ROUNDING = 1000


def archetypes(problem, learnt, max_epochs):
    """Move keys within the hull of the rows to where codes leave less of the rows.

    Codes and keys in turn lower one objective, half the square of what is left. The
    keys move by steps of the Frank-Wolfe method, each towards the row that lies
    furthest down its gradient and as far as is best: so they remain mixtures of rows.

    Parameters
    ----------
    problem : Problem
        Rows, coded by converged steps.

    learnt : Learnt
        Keys to start from, in the hull of the rows; overwritten.

    max_epochs : int
        Times that all rows are coded.

    References
    ----------
    A. Cutler, L. Breiman (1994), Archetypal analysis. Technometrics 36.

    C. Bauckhage, K. Kersting, F. Hoppe, C. Thurau (2015), Archetypal analysis as an
    autoencoder. Workshop New Challenges in Neural Computation.
    """
    learnt.history = []
    for _ in range(max_epochs):
        keys = Keys.of(learnt.keys)
        sums = problem.sums(problem.coding(keys), keys)
        problem.passed(learnt, sums.mean_error(keys.centred, keys.feature_blocks))
        if settled(learnt.history):
            break
        learnt.keys = _moved(problem, keys, sums)


def _moved(problem, keys, sums):
    points = keys.centred()
    for _ in range(_STEPS):
        gradients = sums.codes @ points - sums.rows
        targets = _furthest_down(problem, gradients) - keys.centre
        if not _step(points, targets, sums):
            break
    return (keys.centre + points).astype(keys.given.dtype)


def _step(points, targets, sums):
    """Move each point towards its target by what is best; tell whether any moved."""
    moved = False
    for j in range(len(points)):
        way = targets[j] - points[j]
        downhill = (sums.rows[j] - sums.codes[j] @ points) @ way
        bend = sums.codes[j, j] * (way @ way)
        if downhill > 0 and bend > 0:
            points[j] += min(downhill / bend, 1.0) * way
            moved = True
    return moved


def _furthest_down(problem, gradients):
    """Return, for each gradient, the row with the smallest product.

    Where a point is best between two rows, both have the same product, and rounding
    would choose. So it is the mean of all rows that are smallest but for rounding.
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
    _, _, shares, sums = reduce(_lowest_of, blocks)
    return sums / shares[:, None]


def _lowest_of(one, other):
    """Join what two parts of the rows found, leaving out what is not lowest."""
    lowest, margin = np.minimum(one[0], other[0]), np.maximum(one[1], other[1])
    kept = [part[0] <= lowest + margin for part in (one, other)]
    shares = kept[0] * one[2] + kept[1] * other[2]
    sums = kept[0][:, None] * one[3] + kept[1][:, None] * other[3]
    return lowest, margin, shares, sums
