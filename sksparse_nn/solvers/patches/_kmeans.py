"""Atoms that are the centres of clusters of patches."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn import cluster

from sksparse_nn.solvers.dictionary import AbstractLearner

_ITERATIONS = 50


@dataclass
class KMeans(AbstractLearner):
    """Centres of clusters, of any norm; clusters that lack leave the atoms of `init`.

    Parameters
    ----------
    init : str or array-like of shape (n_atoms, patch_width), default="random"
        Where the atoms start. Clusters begin at given atoms, or at some patches.
    """

    init: object = "random"

    heeds_penalty: ClassVar[bool] = True
    in_epochs: ClassVar[bool] = False

    def epoch(self, coder, progress, samples, rng=None):
        atoms = progress.dictionary
        if not isinstance(self.init, str):
            progress.dictionary = _clustered(samples.X, atoms, rng)
            return
        n_clusters = min(len(atoms), _n_distinct(samples.X, rng))
        atoms[:n_clusters] = _clustered(samples.X, n_clusters, rng)


def _clustered(patches, start, rng):
    """Return the centres of clusters that begin at given ones, or at some patches."""
    is_number = np.ndim(start) == 0
    clusters = cluster.KMeans(
        start if is_number else len(start),
        init="random" if is_number else start,
        n_init=1,
        max_iter=_ITERATIONS,
        random_state=rng.randint(np.iinfo(np.int32).max),
    )
    return clusters.fit(patches).cluster_centers_


def _n_distinct(patches, rng):
    """Count patches that differ, by their places along a random direction."""
    places = patches.astype(np.float64) @ rng.standard_normal(patches.shape[1])
    spread = np.ptp(places)
    return len(np.unique(np.round(places / spread, 6))) if spread > 0 else 1
