"""Where the atoms of whitened patches come from."""

import numpy as np
from sklearn.cluster import KMeans

from sksparse_nn._progress import silent
from sksparse_nn.solvers.dictionary import (
    LEARNERS,
    Progress,
    Samples,
    initial_dictionary,
    unit_atoms,
)

_KMEANS_ITERATIONS = 50


def learn_atoms(
    patches,
    n_atoms,
    rng,
    *,
    start,
    init,
    learner,
    coder,
    max_epochs,
    parameters,
    report=silent,
    keeps=None,
):
    """Make a dictionary of patches.

    Parameters
    ----------
    patches : ndarray of shape (n_patches, patch_width)
        Whitened.

    n_atoms : int
        Number of atoms; those beyond the number of distinct patches are random
        directions.

    rng : RandomState instance
        Source of any draw.

    start : ndarray of shape (n_atoms, patch_width) or None
        Atoms to start from; None for those of `init`.

    init : str
        A name in `INITS`, read where there is no `start`.

    learner : str or None
        "kmeans" for the centres of clusters, a name in `LEARNERS`, or None for the
        atoms as they start.

    coder : AbstractCoder
        Codes while a dictionary is learnt.

    max_epochs : int
        Passes over the patches.

    parameters : dict
        Those that a learner may have.

    report : ProgressLines, default=silent
        Told of each epoch.

    keeps : callable or None, default=None
        Takes a number of epochs, and says whether these are kept when the user
        interrupts the next. Where None they are not.

    Returns
    -------
    atoms : ndarray of shape (n_atoms, patch_width)
        Of unit norm, other than centres.

    history : ndarray of shape (n_epochs,)
        Mean objective an epoch; empty where nothing is learnt in epochs.
    """
    weights = np.ones(len(patches))
    if learner == "kmeans" and start is not None:
        return _clustered(patches, start, rng), np.empty(0)
    if start is None:
        start = initial_dictionary(patches, weights, n_atoms, rng, init=init)
    start = unit_atoms(start)
    if learner is None:
        return start, np.empty(0)
    if learner == "kmeans":
        return _centres(patches, start, rng), np.empty(0)
    learning = LEARNERS.make(learner, parameters)
    progress, samples = Progress.begin(start), Samples(patches, weights)
    atoms, history = start, []
    try:
        for _ in range(max_epochs):
            learning.epoch(coder, progress, samples, rng)
            objective = progress.mean_objective
            atoms, history = progress.dictionary.copy(), [*history, objective]
            report(f"epoch {len(history)}: objective {objective:.6g}")
    except KeyboardInterrupt:
        if not (history and keeps and keeps(len(history))):
            raise
    return atoms, np.array(history)


def _centres(patches, start, rng):
    """Return the centres of clusters, and atoms to start from for those that lack."""
    n_clusters = min(len(start), _n_distinct(patches, rng))
    atoms = start.copy()
    atoms[:n_clusters] = _clustered(patches, n_clusters, rng)
    return atoms


def _clustered(patches, start, rng):
    """Return the centres of clusters that begin at given ones, or at some patches."""
    is_number = np.ndim(start) == 0
    clusters = KMeans(
        start if is_number else len(start),
        init="random" if is_number else start,
        n_init=1,
        max_iter=_KMEANS_ITERATIONS,
        random_state=rng.randint(np.iinfo(np.int32).max),
    )
    return clusters.fit(patches).cluster_centers_


def _n_distinct(patches, rng):
    """Count patches that differ, by their places along a random direction."""
    places = patches.astype(np.float64) @ rng.standard_normal(patches.shape[1])
    spread = np.ptp(places)
    return len(np.unique(np.round(places / spread, 6))) if spread > 0 else 1
