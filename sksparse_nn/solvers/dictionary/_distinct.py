"""Rows drawn by their directions, each direction with all the weight it has."""

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows

_SAME = 1e-6  # of unit rows; nearer ones are taken for the same row
_AT_A_TIME = 2**16  # directions that are drawn from


def draw_rows(X, weights, n_wanted, rng):
    """Draw rows without replacement, each direction with the weight of its rows.

    So the outcome depends on the order of the rows as little as on whether a row is
    repeated or weighted.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Weights, none below zero.

    n_wanted : int
        How many.

    rng : RandomState instance
        Source of the draw.

    Returns
    -------
    picked : ndarray of shape (n_picked,)
        Indices; fewer than wanted where there are fewer directions.

    totals : ndarray of shape (n_picked,)
        Weight of all rows of that direction.
    """
    order, leaders = _find_directions(X, weights, rng)
    keys, first, totals = np.empty(0), np.empty(0, np.intp), np.empty(0)
    for which in block_slices(len(leaders), _AT_A_TIME):  # only the best keys are kept
        total = _sum_groups(weights, order, leaders, which)
        keys = np.append(keys, rng.exponential(size=len(total)) / total)
        first, totals = np.append(first, leaders[which]), np.append(totals, total)
        best = np.argsort(keys)[:n_wanted]
        keys, first, totals = keys[best], first[best], totals[best]
    return order[first], totals


def _sum_groups(weights, order, leaders, which):
    """Sum the weights of some groups."""
    start = leaders[which.start]
    stop = leaders[which.stop] if which.stop < len(leaders) else len(order)
    return np.add.reduceat(weights[order[start:stop]], leaders[which] - start)


def count_directions(X, weights, most):
    """Count the directions that rows have.

    The first rows are looked at alone, as in most data they have enough.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Their weights.

    most : int
        Where to stop counting.

    Returns
    -------
    n_found : int
        At most `most`.
    """
    for n_rows in (4 * most, len(weights)):
        rng = np.random.RandomState(0)
        whole = n_rows >= len(weights)
        part = X if whole else X[:n_rows]
        n_found = len(_find_directions(part, weights[:n_rows], rng)[1])
        if n_found >= most or n_rows >= len(weights):
            break
    return min(n_found, most)


def _find_directions(X, weights, rng):
    """Sort rows along a random line and group the equal ones, which are neighbours."""
    line = rng.standard_normal((X.shape[1], 1)).astype(X.dtype)
    line /= np.linalg.norm(line)
    places, counts = np.empty(len(weights), X.dtype), np.empty(len(weights), bool)
    for which in block_slices(len(weights)):
        rows = read_rows(X, which)
        places[which] = rows.times(line)[:, 0]
        counts[which] = weights[which] * rows.norms > 0
    order = np.argsort(places, kind="stable")
    if not counts.all():
        order = order[counts[order]]
    places = places[order]
    starts = np.ones(len(order), bool)
    for which in block_slices(max(len(order) - 1, 0)):
        ahead = slice(which.start + 1, which.stop + 1)
        starts[ahead] = places[ahead].astype(float) - places[which] > _SAME
    return order, np.flatnonzero(starts)
