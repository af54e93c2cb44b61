"""Rows drawn by their directions, each direction with all the weight it has."""

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows

_SAME = 1e-6  # of unit rows; nearer ones are taken for the same row


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
    order, leaders, totals = _find_directions(X, weights, rng)
    keys = rng.exponential(size=len(leaders)) / totals
    first = np.argsort(keys)[:n_wanted]
    return order[leaders[first]], totals[first]


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
    places, norms = np.empty(len(weights), X.dtype), np.empty(len(weights))
    for which in block_slices(len(weights)):
        rows = read_rows(X, which)
        places[which], norms[which] = rows.times(line)[:, 0], rows.norms
    order = np.argsort(places, kind="stable")
    order = order[(weights * norms)[order] > 0]
    starts = np.diff(places[order].astype(float), prepend=-np.inf) > _SAME
    leaders = np.flatnonzero(starts)
    totals = np.add.reduceat(weights[order], leaders) if len(leaders) else leaders
    return order, leaders, totals
