"""Number of components to keep in each group."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

_FIRST_GUESS = 16


class RankRule(ABC):
    """Rule for the number of components in each group.

    Attributes
    ----------
    needs_all : bool
        Whether the rule needs all singular values, however small.
    """

    needs_all = False

    @abstractmethod
    def start(self, widest):
        """Return the number of triplets to compute first.

        Parameters
        ----------
        widest : int
            Features of the widest group.

        Returns
        -------
        n_components : int
            Triplets of each group.
        """

    @abstractmethod
    def counts(self, factors):
        """Count the components to keep.

        Parameters
        ----------
        factors : list of Factors
            Leading triplets of each group.

        Returns
        -------
        counts : list of int or None
            Components of each group; None if more triplets are needed.
        """

    @abstractmethod
    def is_limited(self, factors, counts):
        """Return whether the noise level limits the number of components.

        Parameters
        ----------
        factors : list of Factors
            Leading triplets of each group.

        counts : list of int
            Result of `counts`.

        Returns
        -------
        is_limited : bool
            Whether the noise level was decisive.
        """

    def lacking(self, factors):
        """Bound from below the number of triplets that a group still needs.

        Parameters
        ----------
        factors : list of Factors
            Leading triplets of each group, too few for `counts`.

        Returns
        -------
        n_more : int
            A lower bound, zero if unknown.
        """
        return 0


@dataclass(frozen=True)
class FixedRank(RankRule):
    """The same number of components for each group.

    Attributes
    ----------
    n_components : int
        Components per group.
    """

    n_components: int

    def start(self, widest):
        return min(self.n_components, widest)

    def counts(self, factors):
        return [min(self.n_components, len(f.singular_values)) for f in factors]

    def is_limited(self, factors, counts):
        widths = [f.components.shape[1] for f in factors]
        pairs = zip(counts, widths, strict=True)
        return any(n < min(self.n_components, width) for n, width in pairs)


@dataclass(frozen=True)
class EnergyShare(RankRule):
    """The fewest components that together hold a share of the energy.

    The singular values of all groups are ranked together.

    Attributes
    ----------
    share : float
        Between 0 and 1.
    """

    share: float

    def start(self, widest):
        return min(_FIRST_GUESS, widest)

    def counts(self, factors):
        values = np.concatenate([f.singular_values for f in factors])
        order = np.argsort(-values, kind="stable")
        wanted = self.share * sum(f.energy for f in factors)
        n_needed = np.searchsorted(np.cumsum(values[order] ** 2), wanted) + 1
        open_groups = [f for f in factors if not f.is_complete]
        if open_groups and n_needed > len(values):
            return None
        chosen = order[:n_needed]
        if any(f.singular_values[-1] > values[chosen[-1]] for f in open_groups):
            return None
        owner = np.repeat(
            np.arange(len(factors)), [len(f.singular_values) for f in factors]
        )
        return np.bincount(owner[chosen], minlength=len(factors)).tolist()

    def is_limited(self, factors, counts):
        pairs = zip(factors, counts, strict=True)
        kept = sum(np.sum(f.singular_values[:n] ** 2) for f, n in pairs)
        return kept < self.share * sum(f.energy for f in factors)

    def lacking(self, factors):
        # No further triplet has more energy than the last one of its group.
        left = self.share * sum(f.energy for f in factors)
        left -= sum(np.sum(f.singular_values**2) for f in factors)
        most = [f.singular_values[-1] ** 2 for f in factors if not f.is_complete]
        return max(0, int(np.ceil(left / sum(most))))


@dataclass(frozen=True)
class NoiseRank(RankRule):
    """The components above white noise of unknown level.

    The threshold on singular values is the optimal one of Gavish and Donoho, a multiple
    of their median that depends on the shape alone.
    """

    needs_all = True

    def start(self, widest):
        return widest

    def counts(self, factors):
        return [_count_above_noise(f) for f in factors]

    def is_limited(self, factors, counts):
        pairs = zip(factors, counts, strict=True)
        return any(
            n == len(f.singular_values) < f.components.shape[1] for f, n in pairs
        )


def rank_rule(n_components):
    """Read the parameter `n_components`.

    Parameters
    ----------
    n_components : int, float or "auto"
        Components per group, share of the energy, or those above noise.

    Returns
    -------
    rule : RankRule
        The rule.
    """
    if isinstance(n_components, str):
        return NoiseRank()
    if isinstance(n_components, Integral):
        return FixedRank(int(n_components))
    return EnergyShare(float(n_components))


def _count_above_noise(factors):
    n_rows, width = max(factors.weight, 1.0), factors.components.shape[1]
    short, long = min(n_rows, width), max(n_rows, width)
    values = np.zeros(max(round(short), len(factors.singular_values)))
    values[: len(factors.singular_values)] = factors.singular_values
    threshold = noise_threshold(short / long) * np.median(values)
    return int((factors.singular_values > threshold).sum())


def noise_threshold(ratio):
    """Return the optimal threshold in units of the median singular value.

    Parameters
    ----------
    ratio : float
        Short side over long side of the matrix, in (0, 1].

    Returns
    -------
    threshold : float
        About 2.858 for a square matrix.

    References
    ----------
    M. Gavish, D. L. Donoho, "The Optimal Hard Threshold for Singular Values is
    4/sqrt(3)", IEEE Transactions on Information Theory 60(8), 2014.
    """
    b = ratio
    squared = 2 * (b + 1) + 8 * b / (b + 1 + np.sqrt(b * b + 14 * b + 1))
    return float(np.sqrt(squared / _marchenko_pastur_median(b)))


def _marchenko_pastur_median(b):
    """Return the median eigenvalue of noise, by its density integrated to one half.

    In ``x = 1 + b + 2 sqrt(b) cos(t)`` the density has no singular end.
    """

    def density(t):
        return 2 * np.sin(t) ** 2 / (np.pi * (1 + b + 2 * np.sqrt(b) * np.cos(t)))

    def excess(t):
        return quad(density, 0, t)[0] - 0.5

    t = brentq(excess, 0, np.pi)
    return 1 + b + 2 * np.sqrt(b) * np.cos(t)
