"""Atoms that are the centres of clusters of patches."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn import cluster

from sksparse_nn.solvers.dictionary import AbstractLearner

_ITERATIONS = 50


@dataclass
class KMeansAtoms(AbstractLearner):
    """Centres of clusters, of any norm.

    With fewer distinct patches than atoms, other atoms keep their initial values.

    Parameters
    ----------
    init : str or array-like of shape (n_atoms, patch_width), default="random"
        Initial centres: given atoms, or with a name patches drawn at random.
    """

    init: object = "random"

    heeds_penalty: ClassVar[bool] = True
    in_epochs: ClassVar[bool] = False

    def epoch(self, coder, progress, samples, rng=None):
        atoms = progress.dictionary
        if not isinstance(self.init, str):
            progress.dictionary = _find_centres(samples.X, atoms, rng)
            return
        n_clusters = min(len(atoms), _count_distinct(samples.X, rng))
        atoms[:n_clusters] = _find_centres(samples.X, n_clusters, rng)


def _find_centres(patches, start, rng):
    """Find the centres of clusters, from given centres or from random patches."""
    is_number = np.ndim(start) == 0
    clusters = cluster.KMeans(
        start if is_number else len(start),
        init="random" if is_number else start,
        n_init=1,
        max_iter=_ITERATIONS,
        random_state=rng.randint(np.iinfo(np.int32).max),
    )
    return clusters.fit(patches).cluster_centers_


def _count_distinct(patches, rng):
    """Count distinct patches by their positions along a random direction."""
    places = patches.astype(np.float64) @ rng.standard_normal(patches.shape[1])
    spread = np.ptp(places)
    return len(np.unique(np.round(places / spread, 6))) if spread > 0 else 1
