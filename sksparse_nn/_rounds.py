"""The contract of fits by rounds: what goes out to chunks of samples, and comes back.

A fit by rounds is a generator, the method `_fit_in_rounds` of an estimator without
fitted attributes. It yields rounds, receives the sum of what came back from the chunks
of each, and ends when the estimator is fitted.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import clone


class Round(ABC):
    """What goes out to chunks of samples, to be pickled where they are elsewhere."""

    def takes(self, number):
        """Return whether a chunk takes part, before it is loaded.

        Parameters
        ----------
        number : int
            Its place among the chunks.

        Returns
        -------
        takes : bool
            True, unless a round overrides it.
        """
        return True

    @abstractmethod
    def read(self, X, y, sample_weight, number):
        """Return what a chunk gives.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, one or more, as the user has them.

        y : array-like of shape (n_samples, ...) or None
            Targets.

        sample_weight : ndarray of shape (n_samples,) or None
            Weights, not all zero.

        number : int
            Place of the chunk among all.

        Returns
        -------
        given : Sum or None
            None if nothing is taken of the chunk.
        """


class Sum(ABC):
    """What some chunks have given, which adds up."""

    @abstractmethod
    def merge(self, other):
        """Return the sum of what these and other chunks have given.

        Parameters
        ----------
        other : Sum
            Of the same kind.

        Returns
        -------
        total : Sum
            New; neither of the two changes.
        """


@dataclass(frozen=True)
class Counts(Sum):
    """Numbers of samples by chunk, and what else is known after reading all once.

    Attributes
    ----------
    rows : dict of int to int
        Samples of weight above zero, by the place of the chunk.

    learnt : dict
        Attributes that the checks of samples give an estimator.

    weight : float
        Sum of the weights.

    level : float
        Root of the mean square of the rows, or zero if it is not measured.
    """

    rows: dict
    learnt: dict
    weight: float
    level: float = 0.0

    @property
    def n_rows(self):
        """Number of samples of all chunks."""  # numpydoc ignore=RT01
        return sum(self.rows.values())

    def merge(self, other):
        weight = self.weight + other.weight
        shares = np.sqrt(np.array([self.weight, other.weight]) / weight)
        level = np.hypot(shares[0] * self.level, shares[1] * other.level)
        return Counts(self.rows | other.rows, self.learnt, weight, float(level))


@dataclass(frozen=True)
class Survey(Round):
    """Checks all samples and counts them.

    Attributes
    ----------
    estimator : estimator
        Not fitted; its method `_check_samples` returns checked rows and weights.

    measure : callable or None, default=None
        Takes rows and weights, and returns the root of the mean square of the rows.
    """

    estimator: object
    measure: Callable | None = None

    def read(self, X, y, sample_weight, number):
        probe = clone(self.estimator)
        X, weights = probe._check_samples(X, sample_weight, reset=True)
        learnt = list_learnt(probe, self.estimator)
        level = self.measure(X, weights) if self.measure else 0.0
        return Counts({number: X.shape[0]}, learnt, float(weights.sum()), level)


@dataclass(frozen=True)
class Drawn(Sum):
    """Samples that were drawn from chunks, and their weights.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_drawn, n_features)
        In the order of the chunks.

    weights : ndarray of shape (n_drawn,)
        Their weights.
    """

    X: np.ndarray | sparse.csr_matrix
    weights: np.ndarray

    def merge(self, other):
        weights = np.concatenate([self.weights, other.weights])
        return Drawn(stack_rows(self.X, other.X), weights)


@dataclass(frozen=True)
class Draw(Round):
    """Draws samples, each as likely as any other.

    Attributes
    ----------
    checker : estimator
        A result of `make_checker`.

    wanted : dict of int to int
        Numbers of samples to draw, by the place of the chunk.

    seed : int
        Together with that place, the seed of the draw.
    """

    checker: object
    wanted: dict
    seed: int

    def takes(self, number):
        return self.wanted.get(number, 0) > 0

    def read(self, X, y, sample_weight, number):
        X, weights = self.checker._check_samples(X, sample_weight, reset=False)
        order = np.random.RandomState([self.seed, number]).permutation(len(weights))
        rows = np.sort(order[: self.wanted[number]])
        return Drawn(X[rows], weights[rows])


def list_learnt(probe, estimator):
    """Return what checks of samples have given a clone.

    Parameters
    ----------
    probe : estimator
        The clone.

    estimator : estimator
        What it is a clone of.

    Returns
    -------
    learnt : dict
        Attributes that the estimator does not have.
    """
    own = vars(estimator)
    return {name: value for name, value in vars(probe).items() if name not in own}


def make_checker(estimator, known):
    """Return an estimator that only checks samples, so that little goes out.

    Parameters
    ----------
    estimator : estimator
        Maybe fitted.

    known : Counts
        What `Survey` has found.

    Returns
    -------
    checker : estimator
        A clone for which `known` is all that it has learnt.
    """
    checker = clone(estimator)
    vars(checker).update(known.learnt)
    return checker


def allot(sizes, n_wanted, rng):
    """Share a number of draws among chunks, in proportion to their sizes.

    Parameters
    ----------
    sizes : dict of int to int
        What each chunk has to draw from, by its place.

    n_wanted : int
        Number of draws; all there is if there is less.

    rng : RandomState instance
        Decides who gets what is left of a draw.

    Returns
    -------
    wanted : dict of int to int
        By the same places; the share of a chunk is rounded up or down.
    """
    places = sorted(sizes)
    ends = np.cumsum([sizes[place] for place in places], dtype=np.float64)
    n_wanted = min(n_wanted, int(ends[-1]))
    marks = np.floor(ends / ends[-1] * n_wanted + rng.random_sample())
    marks[-1] = n_wanted
    wanted = np.diff(np.minimum(marks, n_wanted), prepend=0).astype(int)
    return dict(zip(places, wanted.tolist(), strict=True))


def stack_rows(X, more):
    """Stack rows, in the layout of the later and in the type of the earlier ones.

    Parameters
    ----------
    X, more : ndarray or CSR matrix of shape (n_rows, n_features)
        The two.

    Returns
    -------
    stacked : ndarray or CSR matrix of shape (n_both, n_features)
        A copy.
    """
    more = more.astype(X.dtype, copy=False)
    if sparse.issparse(more):
        return sparse.vstack([sparse.csr_matrix(X), more], format="csr")
    return np.vstack([X.toarray() if sparse.issparse(X) else X, more])
