"""Initial keys: distinct rows that are far apart, by greedy k-means++."""

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.simplex._differences import compute_half_squares

# Squared distances below this share of the squared norms are computed from differences.
_NEAR = 1e-6


def draw_far_rows(sample, n_wanted, rng):
    """Draw rows by the greedy variant of k-means++.

    Rows are drawn one after another, in proportion to their squared distance from all
    rows before. Among several candidates, the one that brings the sample nearest to the
    drawn rows is taken.

    Parameters
    ----------
    sample : Sample
        Rows to draw from.

    n_wanted : int
        Number of rows to draw.

    rng : RandomState instance
        Source of randomness.

    Returns
    -------
    places : ndarray of shape (n_drawn,)
        Positions in the sample; fewer than `n_wanted` if the sample has fewer distinct
        rows.

    References
    ----------
    D. Arthur, S. Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    SODA.
    """
    rows, squares = _scale_rows(sample)
    n_trials = 2 + int(np.log(n_wanted))
    places = _draw_places(sample.weights, 1, rng)
    nearest = _compute_distances(rows, squares, places)[:, 0]
    while len(places) < n_wanted and np.any(nearest > 0):
        tried = _draw_places(sample.weights * nearest, n_trials, rng)
        after = np.minimum(nearest[:, None], _compute_distances(rows, squares, tried))
        best = np.argmin(sample.weights @ after)
        places = np.append(places, tried[best])
        nearest = after[:, best]
    return places


def _scale_rows(sample):
    """Scale rows to moderate size, centre dense ones, and compute squared norms."""
    rows = sample.X.astype(np.float64)
    if not sparse.issparse(rows):
        rows -= np.average(rows, axis=0, weights=sample.weights)
    rows /= np.abs(rows).max() or 1.0
    squares = rows.multiply(rows) if sparse.issparse(rows) else rows**2
    return rows, np.asarray(squares.sum(axis=1)).ravel()


def _draw_places(masses, n_draws, rng):
    """Draw positions with probabilities in proportion to masses, never a zero one."""
    ends = np.cumsum(masses)
    last = np.flatnonzero(masses)[-1]
    marks = rng.random_sample(n_draws) * ends[-1]
    return np.minimum(np.searchsorted(ends, marks, side="right"), last)


def _compute_distances(rows, squares, places):
    """Return the squared distances of all rows from some; zero for equal rows."""
    picked = rows[places]
    picked = picked.toarray() if sparse.issparse(picked) else picked
    sums = squares[:, None] + squares[places]
    distances = sums - 2 * (rows @ picked.T)
    for column, point in enumerate(picked):
        near = np.flatnonzero(distances[:, column] <= _NEAR * sums[:, column])
        distances[near, column] = (
            2 * compute_half_squares(rows[near], point[None])[:, 0]
        )
    return distances
