"""Distinct rows that lie far from each other, to start from."""

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.simplex._differences import half_squares

# Squared distances below this share of the squared norms are made of differences.
_NEAR = 1e-6


def far_rows(sample, n_wanted, rng):
    """Draw rows one after another, those far from all before them more likely.

    Of some draws the one is taken after which the rows are nearest to what is drawn:
    the greedy variant of k-means++.

    Parameters
    ----------
    sample : Sample
        Rows to draw from.

    n_wanted : int
        How many.

    rng : RandomState instance
        Source of the draws.

    Returns
    -------
    places : ndarray of shape (n_drawn,)
        In the sample; fewer than wanted where it has fewer distinct rows.

    References
    ----------
    D. Arthur, S. Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    SODA.
    """
    rows, squares = _scaled(sample)
    n_trials = 2 + int(np.log(n_wanted))
    places = _drawn(sample.weights, 1, rng)
    nearest = _distances(rows, squares, places)[:, 0]
    while len(places) < n_wanted and np.any(nearest > 0):
        tried = _drawn(sample.weights * nearest, n_trials, rng)
        after = np.minimum(nearest[:, None], _distances(rows, squares, tried))
        best = np.argmin(sample.weights @ after)
        places = np.append(places, tried[best])
        nearest = after[:, best]
    return places


def _scaled(sample):
    """Return rows of moderate size, dense ones about their mean, and their squares."""
    rows = sample.X.astype(np.float64)
    if not sparse.issparse(rows):
        rows -= np.average(rows, axis=0, weights=sample.weights)
    rows /= np.abs(rows).max() or 1.0
    squares = rows.multiply(rows) if sparse.issparse(rows) else rows**2
    return rows, np.asarray(squares.sum(axis=1)).ravel()


def _drawn(masses, n_draws, rng):
    """Draw places with probabilities in proportion to masses, never one without."""
    ends = np.cumsum(masses)
    last = np.flatnonzero(masses)[-1]
    marks = rng.random_sample(n_draws) * ends[-1]
    return np.minimum(np.searchsorted(ends, marks, side="right"), last)


def _distances(rows, squares, places):
    """Return squared distances of all rows from some; zero for equal rows."""
    picked = rows[places]
    picked = picked.toarray() if sparse.issparse(picked) else picked
    sums = squares[:, None] + squares[places]
    distances = sums - 2 * (rows @ picked.T)
    for column, point in enumerate(picked):
        near = np.flatnonzero(distances[:, column] <= _NEAR * sums[:, column])
        distances[near, column] = 2 * half_squares(rows[near], point[None])[:, 0]
    return distances
