"""Mixtures of keys nearest to rows, in coordinates about the nearest key.

Keys of very different sizes lose their differences about a common centre. About the key
nearest to a row, and each in its own unit, they keep them. The share of that key is one
minus the other shares.
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel
from sksparse_nn.kernels.simplex import mix_keys


@kernel
def converge_anchored(pulls, sizes, gram, curvature, max_iter, tol, codes, gaps):
    """Improve codes until their mixtures are nearest to the rows.

    Parameters
    ----------
    pulls : float64 array of shape (n_rows, n_keys)
        Products of the rows and the other keys about the nearest one, over `sizes`.

    sizes : float64 array of shape (n_keys,)
        Distances of the other keys from the nearest one, above zero.

    gram : float64 array of shape (n_keys, n_keys)
        Products of these keys in units of their sizes.

    curvature : float
        At least the largest eigenvalue of `gram`, and positive.

    max_iter : int
        Maximum number of steps per row.

    tol : float
        Duality gap at which a row is done, relative to the larger square of the row's
        pulls and the smallest size.

    codes : float64 array of shape (n_rows, n_keys)
        Shares of the other keys to start from, times `sizes`; overwritten.

    gaps : float64 array of shape (n_rows,)
        Overwritten with the relative duality gaps.
    """
    work = np.empty((5, sizes.size))
    smallest = sizes.min()
    for i in range(gaps.size):
        unit = smallest
        for pull in pulls[i]:
            unit = max(unit, abs(pull))
        bound = tol * unit * unit
        gap = _converge(
            pulls[i], sizes, gram, curvature, max_iter, bound, codes[i], work
        )
        gaps[i] = gap / (unit * unit)


@kernel
def _converge(pull, sizes, gram, curvature, max_iter, bound, code, work):
    """Take accelerated projected gradient steps, as for keys of one size."""
    before, slope, slope_before, trial, steps = work
    mix_keys(gram, code, slope)
    before[:] = code
    slope_before[:] = slope
    age = 1.0
    for _ in range(max_iter):
        if _gap(code, slope, pull, sizes) <= bound:
            break
        older = (1 + np.sqrt(1 + 4 * age * age)) / 2
        inertia = (age - 1) / older
        for j in range(code.size):
            point = code[j] + inertia * (code[j] - before[j])
            gradient = slope[j] + inertia * (slope[j] - slope_before[j]) - pull[j]
            steps[j] = point
            trial[j] = point - gradient / curvature
        project_shares(trial, sizes)
        against = 0.0
        for j in range(code.size):
            against += (steps[j] - trial[j]) * (trial[j] - code[j])
            before[j] = code[j]
            code[j] = trial[j]
        age = 1.0 if against > 0 else older
        slope_before[:] = slope
        mix_keys(gram, code, slope)
    return _gap(code, slope, pull, sizes)


@kernel
def project_shares(point, sizes):
    """Project onto nonnegative points whose shares sum to at most one.

    Parameters
    ----------
    point : float64 array of shape (n_keys,)
        Shares times sizes; overwritten.

    sizes : float64 array of shape (n_keys,)
        Sizes, above zero.
    """
    level, raised = -1.0, 0.0
    while raised > level:
        level = raised
        total, weight = 0.0, 0.0
        for j in range(point.size):
            if point[j] > level / sizes[j]:
                total += point[j] / sizes[j]
                weight += 1 / (sizes[j] * sizes[j])
        # Dropping shares can only raise the level.
        raised = (total - 1.0) / weight if weight > 0 else level
    for j in range(point.size):
        point[j] = max(point[j] - level / sizes[j], 0.0)


@kernel
def _gap(code, slope, pull, sizes):
    """Return the first-order improvement of the best corner over the code."""
    lowest, mean = 0.0, 0.0
    for j in range(code.size):
        gradient = slope[j] - pull[j]
        lowest = min(lowest, sizes[j] * gradient)
        mean += code[j] * gradient
    return max(mean - lowest, 0.0)
