"""Keys that are rows: prototypes to look at."""

from dataclasses import dataclass, replace

import numpy as np

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.simplex._coding import Nearest
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt
from sksparse_nn.solvers.simplex._means import KMeans, means


@dataclass
class Medoids(AbstractKeys):
    """The row of each cluster that is nearest to its centre.

    That row has the smallest sum of squared distances to the cluster. After k-means has
    found the clusters, rows go to the nearest medoid, and each cluster takes the medoid
    anew, until none changes.

    Parameters
    ----------
    max_epochs : int, default=50
        Passes over the rows, for the clusters and for the medoids.
    """

    max_epochs: int = 50

    def learn(self, problem):
        learnt, indices = None, self._first(problem)
        for _ in range(self.max_epochs):
            keys = Keys.of(problem.take(indices))
            sums = problem.sums(Nearest(), keys)
            objective = sums.mean_distance(keys)
            if learnt is not None and objective >= learnt.history[-1]:
                break
            history = [] if learnt is None else learnt.history
            learnt = Learnt(keys.given, history, indices)
            problem.passed(learnt, objective)
            targets = Keys.of(means(keys, sums))
            del sums  # as large as two dictionaries
            indices = _nearest_members(problem, keys, targets, indices)
        return learnt

    def _first(self, problem):
        apart = replace(problem)  # centres are no rows, and not what is learnt
        centres = Keys.of(KMeans(self.max_epochs).learn(apart).keys)
        return _nearest_members(problem, centres, centres, problem.start)


def _nearest_members(problem, keys, targets, otherwise):
    """Return, for each key, which of its rows is nearest to a target.

    Parameters
    ----------
    problem : Problem
        Rows.

    keys : Keys
        Rows belong to the nearest one.

    targets : Keys
        One a key.

    otherwise : ndarray of shape (n_keys,)
        For keys without rows.

    Returns
    -------
    indices : ndarray of shape (n_keys,)
        Of rows; the first of those that are equally near.
    """

    def of_block(which):
        X = problem.X[which]
        owners = np.argmax(keys.scores(keys.block(X)), axis=1)
        halves = targets.half_distances(targets.block(X))
        return owners, halves[np.arange(len(owners)), owners]

    blocks = map_in_order(of_block, block_slices(problem.X.shape[0]), problem.n_jobs)
    owners, distances = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    order = np.lexsort((distances, owners))
    first = order[np.diff(owners[order], prepend=-1) > 0]
    indices = otherwise.copy()
    indices[owners[first]] = first
    return indices
