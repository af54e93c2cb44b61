"""Base class of the algorithms that find keys."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from sksparse_nn._registry import Algorithm


@dataclass
class Learnt:
    """Learnt keys and the objective while they were learnt.

    Parameters
    ----------
    keys : ndarray of shape (n_keys, n_features)
        The keys, of the type of the rows.

    history : list of float
        Objective per pass over the rows; it never rises.

    indices : ndarray of shape (n_keys,) or None
        Indices of the keys among the rows, if they are rows.

    counts : ndarray of shape (n_keys,) or None
        Weight of the rows that each key is the mean of, if they are means.
    """

    keys: np.ndarray
    history: list = field(default_factory=list)
    indices: np.ndarray | None = None
    counts: np.ndarray | None = None


class AbstractKeys(Algorithm, ABC):
    """Algorithm that finds keys.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names.
    """

    streams = False  # can go on from further rows: a StreamingKeys
    adds_up = False  # needs no more of the rows than Sums: has a method `passes`

    def most_passes(self, converges):
        """Return the maximum number of passes that `learn` runs.

        Parameters
        ----------
        converges : bool
            Whether codes are found by steps that are repeated until convergence.

        Returns
        -------
        n_passes : int or None
            None if it is not known. The default is `max_epochs`, if there is one.
        """
        return getattr(self, "max_epochs", None)

    @abstractmethod
    def learn(self, problem):
        """Find keys.

        Parameters
        ----------
        problem : Problem
            Rows, and indices of those to start from; `problem.run_passes` invokes
            callbacks.

        Returns
        -------
        learnt : Learnt
            The keys.
        """


def has_settled(history, tol=1e-4):
    """Return whether the last pass hardly lowered the objective.

    Parameters
    ----------
    history : list of float
        Objective per pass.

    tol : float, default=1e-4
        Share of the objective before the last pass.

    Returns
    -------
    has_settled : bool
        Whether the objective fell by at most that share; False after one pass.
    """
    return len(history) > 1 and history[-2] - history[-1] <= tol * abs(history[-2])
