"""Keys that are rows of the data: the medoids of clusters."""

from dataclasses import dataclass, replace

import numpy as np

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.simplex._coding import Nearest
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt
from sksparse_nn.solvers.simplex._means import KMeansKeys, move_to_means


@dataclass
class Medoids(AbstractKeys):
    """Medoids: the row of each cluster that is nearest to its centre.

    It has the smallest sum of squared distances to the rows of its cluster. K-means
    finds the first clusters. Then rows are assigned to the nearest medoid and medoids
    are found anew, until none changes.

    Parameters
    ----------
    max_epochs : int, default=50
        Maximum number of passes over the rows, for k-means and for the medoids each.
    """

    max_epochs: int = 50

    def most_passes(self, converges):
        return 2 * self.max_epochs

    def learn(self, problem):
        indices = self._find_first(problem)

        def move():
            nonlocal indices
            keys = Keys.of(problem.take(indices))
            sums = problem.sum_over(Nearest(), keys)
            objective, learnt = sums.mean_distance(keys), problem.learnt
            if learnt is not None and objective >= learnt.history[-1]:
                problem.report_pass(len(learnt.history) + 1, objective)
                return True
            history = [] if learnt is None else learnt.history
            problem.record_pass(Learnt(keys.given, history, indices), objective)
            means = move_to_means(keys, sums)
            del sums  # as large as two dictionaries
            targets = Keys.of(means)
            indices = _find_nearest_members(problem, keys, targets, indices)
            return False

        problem.run_passes(move, self.max_epochs)
        return problem.learnt

    def _find_first(self, problem):
        apart = replace(problem)  # an interrupt must not keep centres as medoids
        centres = Keys.of(KMeansKeys(self.max_epochs).learn(apart).keys)
        return _find_nearest_members(problem, centres, centres, problem.start)


def _find_nearest_members(problem, keys, targets, otherwise):
    """Find the row of each key that is nearest to a target.

    Parameters
    ----------
    problem : Problem
        Rows.

    keys : Keys
        Each row belongs to its nearest key.

    targets : Keys
        One target per key.

    otherwise : ndarray of shape (n_keys,)
        Indices for keys without rows.

    Returns
    -------
    indices : ndarray of shape (n_keys,)
        Indices of rows; the first among equally near ones.
    """

    def of_block(which):
        X = problem.X[which]
        owners = np.argmax(keys.scores(keys.read_block(X)), axis=1)
        halves = targets.half_distances(targets.read_block(X))
        return owners, halves[np.arange(len(owners)), owners]

    blocks = map_in_order(of_block, block_slices(problem.X.shape[0]), problem.n_jobs)
    owners, distances = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    order = np.lexsort((distances, owners))
    first = order[np.diff(owners[order], prepend=-1) > 0]
    indices = otherwise.copy()
    indices[owners[first]] = first
    return indices
