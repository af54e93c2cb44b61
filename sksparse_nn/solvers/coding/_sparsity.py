"""The parameter of a coder that says how sparse codes are: a number, or a level."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import numpy as np

_MOST_DOUBLED = 64


@dataclass(frozen=True)
class Sparsity(ABC):
    """What is known of a parameter of sparsity.

    Parameters
    ----------
    parameter : str
        Its name.
    """

    parameter: str

    least: ClassVar[int] = 0  # the smallest value that it takes
    kinds: ClassVar[str] = "iuf"  # of NumPy types that hold its values
    wanted: ClassVar[str] = "numbers of at least 0"

    def check(self, values):
        """Check the values of a path.

        Parameters
        ----------
        values : sequence
            Values of the parameter.

        Returns
        -------
        values : list
            The same.

        Raises
        ------
        ValueError
            If they are none, or one is not of the kind that the parameter takes.
        """
        values = np.asarray(values)
        is_sound = values.ndim == 1 and values.size and values.dtype.kind in self.kinds
        if is_sound and np.isfinite(values).all() and values.min() >= self.least:
            return values.tolist()
        raise ValueError(
            f"values must be a sequence of {self.wanted}, as {self.parameter}. Got "
            f"{values!r}."
        )

    def densest(self, values):
        """Return which of some values gives the most nonzeros.

        Parameters
        ----------
        values : list
            Values of the parameter; those that it cannot take are passed over.

        Returns
        -------
        densest : int or float
            One of them.

        Raises
        ------
        ValueError
            If none can be taken, or one is left to the data.
        """
        sound = [v for v in values if isinstance(v, Real) and v >= self.least]
        if not sound or any(value is None for value in values):
            raise ValueError(
                f"The values of {self.parameter} on the grid must be numbers of at "
                f"least {self.least}. Got {values!r}."
            )
        return self._densest(sound)

    @abstractmethod
    def _densest(self, values):
        """Return which of some values gives the most nonzeros."""

    @abstractmethod
    def doublings(self, value, shape):
        """Return values that a path may run over where none are given.

        Parameters
        ----------
        value : int or float or None
            What the parameter is.

        shape : tuple of int
            Number of atoms, and of features.

        Returns
        -------
        values : ndarray
            Each twice the one before.
        """


class Count(Sparsity):
    """A number of nonzeros: the larger, the more."""

    least = 1
    kinds = "iu"
    wanted = "whole numbers of at least 1"

    def _densest(self, values):
        return max(values)

    def doublings(self, value, shape):
        return 2 ** np.arange(int(np.log2(min(*shape, _MOST_DOUBLED))) + 1)


class Level(Sparsity):
    """A level or the weight of a penalty: the larger, the fewer nonzeros."""

    def _densest(self, values):
        return min(values)

    def doublings(self, value, shape):
        return value * 2.0 ** np.arange(-4, 3)
