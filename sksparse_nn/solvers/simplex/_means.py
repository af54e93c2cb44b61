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
    shares = sums.shares[:, None]
    used = shares > 0
    moved = np.where(used, sums.rows / np.where(used, shares, 1), keys.centred)
    return (keys.centre + moved).astype(keys.given.dtype)


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
        learnt = Learnt(problem.first_keys)
        for _ in range(self.max_epochs):
            keys = Keys.of(learnt.keys)
            sums = problem.sums(Nearest(), keys)
            problem.passed(learnt, sums.mean_distance(keys.centred))
            if settled(learnt.history):
                break
            learnt.keys = means(keys, sums)
        return learnt
