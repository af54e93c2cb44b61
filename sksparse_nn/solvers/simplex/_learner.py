"""What every learner of keys gives."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from sksparse_nn._registry import Algorithm


@dataclass
class Learnt:
    """Keys, and how they came about.

    Parameters
    ----------
    keys : ndarray of shape (n_keys, n_features)
        Of the type of the rows.

    history : list of float
        The objective of each pass over the rows; it never rises.

    indices : ndarray of shape (n_keys,) or None
        Of the rows that the keys are, where they are rows.
    """

    keys: np.ndarray
    history: list = field(default_factory=list)
    indices: np.ndarray | None = None


class AbstractKeys(Algorithm, ABC):
    """Algorithm that finds keys.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names.
    """

    @abstractmethod
    def learn(self, problem):
        """Find keys.

        Parameters
        ----------
        problem : Problem
            The rows, and the rows among them to start from.

        Returns
        -------
        learnt : Learnt
            Keys.
        """


def settled(history, tol=1e-4):
    """Tell whether the last pass lowered the objective by less than a share of it.

    Parameters
    ----------
    history : list of float
        Objectives.

    tol : float, default=1e-4
        The share.

    Returns
    -------
    settled : bool
        False after one pass.
    """
    return len(history) > 1 and history[-2] - history[-1] <= tol * abs(history[-2])
