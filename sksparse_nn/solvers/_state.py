"""The contract of the state of a fit: it adds up, and it can be written down."""

from abc import ABC, abstractmethod

import numpy as np
from scipy import sparse


class State(ABC):
    """What a fit knows of the rows so far.

    Objects do not change: `add` and `merge` return new ones, so that a call that fails
    loses nothing. What a state refers to but does not learn, such as the groups of
    features or the algorithm, is its context and no part of `arrays`.

    Attributes
    ----------
    context : object
        What the state refers to; None if nothing.

    shape : tuple
        What must be equal in two states that are merged.
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

        Raises
        ------
        ValueError
            If the two are of different kinds, or what they know differs in shape.
        """

    @abstractmethod
    def arrays(self):
        """Return all that was learnt, in types that any persistence knows.

        Returns
        -------
        arrays : dict
            NumPy arrays, numbers, strings and None by name; not copied.
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


def check_alike(one, other):
    """Check that two states can be merged.

    Parameters
    ----------
    one, other : State
        The two.

    Raises
    ------
    ValueError
        If they are of different kinds or shapes.
    """
    if type(one) is not type(other):
        raise ValueError(
            f"Two states of one kind can be merged. Got {type(one).__name__} and "
            f"{type(other).__name__}; fit both in the same way."
        )
    if one.shape != other.shape:
        raise ValueError(
            f"Two states of one shape can be merged. Got {type(one).__name__} of "
            f"{one.shape} and of {other.shape}; fit both with the same parameters on "
            "the same features."
        )


def prefix_names(prefix, arrays):
    """Return arrays under names with a prefix.

    Parameters
    ----------
    prefix : str
        Of the part that the arrays belong to.

    arrays : dict
        Of this part.

    Returns
    -------
    arrays : dict
        For the arrays of the whole.
    """
    return {prefix + name: value for name, value in arrays.items()}


def split_prefixed(prefix, arrays):
    """Separate the arrays of a part from the others.

    Parameters
    ----------
    prefix : str
        Of the part.

    arrays : dict
        Of the whole.

    Returns
    -------
    part : dict
        As they were given to `prefix_names`.

    others : dict
        The others.
    """
    part = {
        name.removeprefix(prefix): value
        for name, value in arrays.items()
        if name.startswith(prefix)
    }
    others = {
        name: value for name, value in arrays.items() if not name.startswith(prefix)
    }
    return part, others


def rows_to_arrays(X):
    """Return the arrays that rows consist of.

    Parameters
    ----------
    X : ndarray, CSR matrix or None
        The rows.

    Returns
    -------
    arrays : dict
        One array for dense rows, and those of the format for CSR; not copied.
    """
    if not sparse.issparse(X):
        return {"X": X}
    arrays = {name: getattr(X, name) for name in ("data", "indices", "indptr")}
    return prefix_names("X_", arrays | {"shape": np.array(X.shape)})


def rows_from_arrays(arrays):
    """Restore rows from a result of `rows_to_arrays`.

    Parameters
    ----------
    arrays : dict
        Not copied.

    Returns
    -------
    X : ndarray, CSR matrix or None
        The rows.
    """
    if "X" in arrays:
        return arrays["X"]
    values = tuple(arrays[f"X_{name}"] for name in ("data", "indices", "indptr"))
    return sparse.csr_matrix(values, shape=tuple(arrays["X_shape"]))
