"""The contract of the state of a fit: it adds up, and it can be written down."""

from abc import ABC, abstractmethod


class State(ABC):
    """What a fit knows of the rows so far.

    Objects do not change: `add` and `merge` return new ones, so that a call that fails
    loses nothing. What a state refers to but does not learn, such as the groups of
    features or the algorithm, is its context and no part of `arrays`.
    """

    @abstractmethod
    def add(self, *rows, n_jobs=None):
        """Return the state after further rows.

        Parameters
        ----------
        *rows : object
            Rows and their weights.

        n_jobs : int or None, default=None
            Number of threads.

        Returns
        -------
        state : State
            New.
        """

    @abstractmethod
    def merge(self, other):
        """Return the state of the rows of both.

        Parameters
        ----------
        other : State
            Of the same class and context.

        Returns
        -------
        state : State
            New.
        """

    @abstractmethod
    def arrays(self):
        """Return all that was learnt, in types that any persistence knows.

        Returns
        -------
        arrays : dict
            Arrays, numbers, strings, tuples and None by name; not copied.
        """

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays, context=None):
        """Restore a state.

        Parameters
        ----------
        arrays : dict
            Result of `arrays`; not copied.

        context : object, default=None
            What the state refers to.

        Returns
        -------
        state : State
            Equal to the one that `arrays` was called on.
        """
