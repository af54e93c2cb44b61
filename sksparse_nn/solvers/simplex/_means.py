"""Keys that are centres of clusters."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.simplex._coding import Nearest
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt, has_settled


def move_to_means(keys, sums):
    """Move each key to the mean of the rows, weighted by their codes.

    Parameters
    ----------
    keys : Keys
        Keys of the codes.

    sums : Sums
        Sums over the codes.

    Returns
    -------
    moved : ndarray of shape (n_keys, n_features)
        The moved keys; a key that no code uses stays where it is.
    """
    moved = np.empty_like(keys.given)
    for key, share in enumerate(sums.shares):
        of_key = slice(key, key + 1)
        mean = sums.B[key] / share if share > 0 else keys.read_centred(keys=of_key)[0]
        moved[key] = keys.centre + mean
    return moved


@dataclass
class KMeansKeys(AbstractKeys):
    """Centres of clusters, by k-means.

    Parameters
    ----------
    max_epochs : int, default=50
        Maximum number of passes over the rows.
    """

    max_epochs: int = 50

    def learn(self, problem):
        learnt = Learnt(problem.first_keys())
        for _ in range(self.max_epochs):
            moved = _pass_over_rows(problem, learnt)
            if moved is None:
                break
            learnt.keys = moved
        return learnt


def _pass_over_rows(problem, learnt):
    """Pass over the rows, and return the moved keys, or None on convergence."""
    keys = Keys.of(learnt.keys)
    sums = problem.sum_over(Nearest(), keys)
    problem.record_pass(learnt, sums.mean_distance(keys))
    return None if has_settled(learnt.history) else move_to_means(keys, sums)
