"""Keys that move towards their values, as far as that is better."""

from typing import NamedTuple

import numpy as np

from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._values import fit_values

_SHORTEST = 1 / 64


class _Fitted(NamedTuple):
    keys: np.ndarray
    values: np.ndarray
    error: float


def towards_values(problem, learnt, max_epochs, values_reg):
    """Move keys towards their values while codes times values come nearer to the rows.

    At each try the temperature is found anew, so that codes keep their number of
    nonzeros, and the values are fitted anew. A try that leaves more of the rows is
    taken back, and the next one goes less far.

    Parameters
    ----------
    problem : Problem
        Rows, coded in one step.

    learnt : Learnt
        Keys to start from; overwritten.

    max_epochs : int
        Tries.

    values_reg : float
        As in `fit_values`.
    """
    best, points, stride = None, learnt.keys, 0.5
    for _ in range(max_epochs):
        tried = _fitted(problem, points, values_reg)
        if best is None:
            learnt.history = []
        if best is None or tried.error < best.error:
            best, stride = tried, min(2 * stride, 1.0)
        else:
            stride /= 2
        learnt.keys = best.keys
        problem.passed(learnt, best.error)
        if stride < _SHORTEST:
            break
        points = best.keys + stride * (best.values - best.keys)


def _fitted(problem, points, values_reg):
    keys = Keys.of(points)
    sums = problem.sums(problem.coding(keys), keys)
    values = fit_values(keys, sums, values_reg)

    def moved(features):
        return values[:, features].astype(np.float64) - keys.centre[features]

    return _Fitted(points, values, sums.mean_error(moved, keys.feature_blocks))
