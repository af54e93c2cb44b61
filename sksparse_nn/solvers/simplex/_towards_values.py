"""Keys that move towards their values as long as the error falls."""

from typing import NamedTuple

import numpy as np

from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._values import fit_values

_SHORTEST = 1 / 64


class _Fit(NamedTuple):
    keys: np.ndarray
    values: np.ndarray
    error: float


def move_towards_values(problem, learnt, max_epochs, values_reg):
    """Move keys towards their values while the error of reconstruction falls.

    Each trial finds a new temperature, so that codes keep their number of nonzeros, and
    fits new values. A trial that raises the error is undone, and the next step is
    shorter.

    Parameters
    ----------
    problem : Problem
        Rows, coded in one step.

    learnt : Learnt
        Keys to start from; overwritten.

    max_epochs : int
        Maximum number of trials.

    values_reg : float
        As in `fit_values`.
    """
    best, points, stride = None, learnt.keys, 0.5

    def move():
        nonlocal best, points, stride
        tried = _fit(problem, points, values_reg)
        if best is None:
            learnt.history = []
        if best is None or tried.error < best.error:
            best, stride = tried, min(2 * stride, 1.0)
        else:
            stride /= 2
        learnt.keys = best.keys
        problem.record_pass(learnt, best.error)
        points = best.keys + stride * (best.values - best.keys)
        return stride < _SHORTEST

    problem.run_passes(move, max_epochs)


def _fit(problem, points, values_reg):
    keys = Keys.of(points)
    coding = problem.choose_coding(keys)
    sums = problem.sum_over(coding, keys)
    values = fit_values(keys, sums, values_reg)
    if sums.n_hidden:
        left = problem.measure_left(coding, keys)
        steps = values.astype(np.float64) - points
        error = max(left.error_of(steps, sums.A), 0.0)
        return _Fit(points, values, error / 2 / sums.weight)

    def centred(features):
        return values[:, features].astype(np.float64) - keys.centre[features]

    return _Fit(points, values, sums.mean_error(centred, keys.feature_blocks))
