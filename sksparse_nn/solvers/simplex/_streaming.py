"""Base class of keys that go on from further rows."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from sksparse_nn.solvers.simplex._learner import AbstractKeys


@dataclass
class StreamingKeys(AbstractKeys):
    """Algorithm that finds keys and moves them by rows that come later.

    `learn` gives `counts` beside the keys; without them a merge has no weights, and
    the keys of the first coder stay.
    """

    streams: ClassVar[bool] = True

    @abstractmethod
    def move(self, problem, learnt):
        """Move keys by further rows, each taken once.

        Parameters
        ----------
        problem : Problem
            The further rows.

        learnt : Learnt
            Keys, counts and history so far; `problem.record_pass` adds an objective.

        Returns
        -------
        learnt : Learnt
            With new arrays of keys and counts.
        """
