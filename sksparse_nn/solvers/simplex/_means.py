"""Keys that are means of the rows which their codes tie to them."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.simplex._coding import Nearest
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt, settled


def means(keys, sums):
    """Move each key to the mean of the rows, weighted by their codes.

    Parameters
    ----------
    keys : Keys
        Those that the rows were coded with.

    sums : Sums
        Over the codes.

    Returns
    -------
    moved : ndarray of shape (n_keys, n_features)
        A key of no row stays where it is.
    """
    moved = np.empty_like(keys.given)
    for key, share in enumerate(sums.shares):
        of_key = slice(key, key + 1)
        mean = sums.rows[key] / share if share > 0 else keys.centred(keys=of_key)[0]
        moved[key] = keys.centre + mean
    return moved


@dataclass
class KMeans(AbstractKeys):
    """Centres of clusters.

    Parameters
    ----------
    max_epochs : int, default=50
        Passes over the rows.
    """

    max_epochs: int = 50

    def learn(self, problem):
        learnt = Learnt(problem.first_keys())
        for _ in range(self.max_epochs):
            moved = _moved(problem, learnt)
            if moved is None:
                break
            learnt.keys = moved
        return learnt


def _moved(problem, learnt):
    """Pass over the rows and return keys, none where all have settled."""
    keys = Keys.of(learnt.keys)
    sums = problem.sums(Nearest(), keys)
    problem.passed(learnt, sums.mean_distance(keys))
    return None if settled(learnt.history) else means(keys, sums)
