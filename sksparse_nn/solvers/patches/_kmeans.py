"""Atoms that are the centres of clusters of patches."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn import cluster

from sksparse_nn.solvers._threads import single_threaded_blas
from sksparse_nn.solvers.dictionary import AbstractLearner, Progress, Statistics

_ITERATIONS = 50


@dataclass
class KMeansAtoms(AbstractLearner):
    """Centres of clusters, of any norm.

    With fewer distinct patches than atoms, other atoms keep their initial values. Later
    chunks move each centre to the mean of all patches that it was ever nearest to.

    Parameters
    ----------
    init : str or array-like of shape (n_atoms, patch_width), default="random"
        Initial centres: given atoms, or with a name patches drawn at random.

    References
    ----------
    D. Sculley (2010), Web-scale k-means clustering. WWW.
    """

    init: object = "random"

    heeds_penalty: ClassVar[bool] = True
    in_epochs: ClassVar[bool] = False
    streams: ClassVar[bool] = True
    batch_size: ClassVar[int] = 1024  # patches whose nearest centres are found at once

    def epoch(self, coder, progress, samples, rng=None):
        atoms = progress.dictionary
        if isinstance(self.init, str):
            n_clusters = min(len(atoms), _count_distinct(samples.X, rng))
            found = _fit_clusters(samples, n_clusters, rng)
            atoms[:n_clusters] = found.cluster_centers_
        else:
            found = _fit_clusters(samples, atoms, rng)
            progress.dictionary = found.cluster_centers_
        counts = np.bincount(found.labels_, samples.weights, minlength=len(atoms))
        np.fill_diagonal(progress.statistics.A, counts)
        # From the centres, of which the mean of the patches may differ by rounding.
        progress.statistics.B[:] = counts[:, None] * progress.dictionary
        progress.statistics.usage[:] = counts

    def step(self, coder, progress, X, weights, *, start=None, n_batches=None):
        centres, sums = progress.dictionary, progress.statistics
        with single_threaded_blas():
            distances = _compute_distances(X, centres)
        labels = distances.argmin(axis=1)
        counts = np.bincount(labels, weights, minlength=len(centres))
        np.add.at(sums.B, labels, weights[:, None] * X)
        sums.A[np.diag_indices_from(sums.A)] += counts
        sums.usage += counts
        _move_centres(centres, sums)
        nearest = distances[np.arange(len(X)), labels]
        progress.usage += counts
        progress.objective += float(weights @ nearest) / 2
        progress.weight += float(weights.sum())
        progress.n_batches += 1

    def join(self, one, other):
        distances = _compute_distances(one.dictionary, other.dictionary)
        order = linear_sum_assignment(distances)[1]
        mine, its = one.statistics, other.statistics
        counts = np.diag(mine.A) + np.diag(its.A)[order]
        sums = Statistics(np.diag(counts), mine.B + its.B[order], counts.copy())
        centres = one.dictionary.copy()
        _move_centres(centres, sums)
        both = Progress(centres, sums)
        both.add_counts(one, other, order)
        return both


def _move_centres(centres, sums):
    """Overwrite the centres that have patches by their means."""
    counts = np.diag(sums.A)
    used = np.flatnonzero(counts)
    centres[used] = sums.B[used] / counts[used, None]


def _compute_distances(rows, centres):
    """Return the squared distances of rows from centres, in float64."""
    rows, centres = rows.astype(np.float64), centres.astype(np.float64)
    squares = [np.einsum("ij,ij->i", part, part) for part in (rows, centres)]
    distances = squares[0][:, None] + squares[1] - 2 * rows @ centres.T
    return np.maximum(distances, 0, out=distances)


def _fit_clusters(samples, start, rng):
    """Fit clusters from given centres, or from that many random patches."""
    is_number = np.ndim(start) == 0
    clusters = cluster.KMeans(
        start if is_number else len(start),
        init="random" if is_number else start,
        n_init=1,
        max_iter=_ITERATIONS,
        random_state=rng.randint(np.iinfo(np.int32).max),
    )
    return clusters.fit(samples.X, sample_weight=samples.weights)


def _count_distinct(patches, rng):
    """Count distinct patches by their positions along a random direction."""
    places = patches.astype(np.float64) @ rng.standard_normal(patches.shape[1])
    spread = np.ptp(places)
    return len(np.unique(np.round(places / spread, 6))) if spread > 0 else 1
