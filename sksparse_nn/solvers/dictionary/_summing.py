"""Learners that need no more of the rows than sums over their codes."""

from abc import abstractmethod
from typing import ClassVar

from sksparse_nn.solvers.dictionary._base import AbstractLearner


class SummingLearner(AbstractLearner):
    """Algorithm whose steps follow from sums, so that others can code the rows."""

    adds_up: ClassVar[bool] = True

    def count_steps(self, n_rows):
        """Return how often an epoch moves the atoms when others code the rows.

        Parameters
        ----------
        n_rows : int
            Rows in total.

        Returns
        -------
        n_steps : int
            One, unless a learner overrides it.
        """
        return 1

    @abstractmethod
    def forget(self, progress, n_steps=None):
        """Let earlier sums count less ahead of a step.

        Parameters
        ----------
        progress : Progress
            Its statistics are overwritten.

        n_steps : int or None, default=None
            Steps per epoch; None for a stream, which has no end.
        """

    @abstractmethod
    def move(self, progress, seen):
        """Move the atoms once the sums of the step are in the statistics.

        Parameters
        ----------
        progress : Progress
            Updated.

        seen : Pass
            Rows of the step that may replace idle atoms, with their errors.
        """
