"""Keys that are centres of clusters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sksparse_nn.solvers.simplex._coding import Nearest
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import Learnt, has_settled
from sksparse_nn.solvers.simplex._streaming import StreamingKeys


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


def move_to_running_means(keys, sums, counts):
    """Move each key to the mean of its rows so far and of further ones.

    Parameters
    ----------
    keys : Keys
        Each is the mean of earlier rows.

    sums : Sums
        Sums over the codes of further rows.

    counts : ndarray of shape (n_keys,)
        Weight of the earlier rows.

    Returns
    -------
    moved : ndarray of shape (n_keys, n_features)
        The moved keys; a key that no code uses stays where it is.

    counts : ndarray of shape (n_keys,)
        Weight of all rows.
    """
    moved, shares = keys.given.copy(), sums.shares
    for key in np.flatnonzero(shares):
        point = keys.read_centred(keys=slice(key, key + 1))[0]
        way = sums.B[key] - shares[key] * point
        moved[key] = keys.centre + (point + way / (counts[key] + shares[key]))
    return moved, counts + shares


@dataclass
class KMeansKeys(StreamingKeys):
    """Centres of clusters, by k-means; further rows move them by mini-batch k-means.

    Parameters
    ----------
    max_epochs : int, default=50
        Maximum number of passes over the rows.
    """

    max_epochs: int = 50

    adds_up: ClassVar[bool] = True

    def learn(self, problem):
        learnt = Learnt(problem.first_keys())
        passes = self.passes(problem, learnt)
        asked = next(passes)

        def move():
            nonlocal asked
            try:
                asked = passes.send(problem.sum_over(*asked))
            except StopIteration:
                return True
            return False

        problem.run_passes(move, self.max_epochs)
        return learnt

    def passes(self, problem, learnt):
        """Find keys by sums that others take over the rows.

        Parameters
        ----------
        problem : Problem
            Takes the record of the passes; its rows are not read.

        learnt : Learnt
            The keys to start from, which move.

        Yields
        ------
        coding : Nearest
            How to code all rows.

        keys : Keys
            With which keys; what is sent back are the `Sums`.
        """
        for _ in range(self.max_epochs):
            keys = Keys.of(learnt.keys)
            sums = yield Nearest(), keys
            problem.record_pass(learnt, sums.mean_distance(keys))
            if has_settled(learnt.history):
                break
            learnt.keys, learnt.counts = move_to_means(keys, sums), sums.shares

    def move(self, problem, learnt):
        keys = Keys.of(learnt.keys)
        sums = problem.sum_over(Nearest(), keys)
        problem.record_pass(learnt, sums.mean_distance(keys))
        counts = learnt.counts
        learnt.keys, learnt.counts = move_to_running_means(keys, sums, counts)
        return learnt
