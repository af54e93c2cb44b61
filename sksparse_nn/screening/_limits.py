"""The range of each column that is taken for good."""

from dataclasses import dataclass

import numpy as np

# With fewer values than these, beside the commonest one, a column has no limits.
_FEWEST = 20


@dataclass(frozen=True)
class Limits:
    """Limits of columns of numbers.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_columns,)
        Limits; infinite where a column has none.

    middle : ndarray of shape (n_columns,)
        Medians; zero in columns without numbers.

    spread : ndarray of shape (n_columns,)
        Differences of the outer quantiles; zero in columns without limits.
    """

    lower: np.ndarray
    upper: np.ndarray
    middle: np.ndarray
    spread: np.ndarray

    def lift(self):
        """Return the same without limits.

        Returns
        -------
        limits : Limits
            Medians and spreads alone.
        """
        none = np.full(len(self.lower), np.inf)
        return Limits(-none, none, self.middle, self.spread)


def learn_limits(runs, quantile_range, margin):
    """Learn the limits of columns from quantiles.

    A value that more than half of the rows of a column have, such as the zero of
    counts, says nothing of how far the others reach: it is left out of the quantiles,
    and is within the limits.

    Parameters
    ----------
    runs : Runs
        Values of the columns.

    quantile_range : tuple of float
        The two quantiles, in percent.

    margin : float
        Distance from the quantiles to the limits, in differences of the quantiles.

    Returns
    -------
    limits : Limits
        The limits.
    """
    middle = runs.quantile(0.5)
    is_common = runs.weight_at(0.5) > runs.totals / 2
    others = runs.without(np.where(is_common, middle, np.nan))
    low, high = (others.quantile(q / 100) for q in quantile_range)
    low = np.where(is_common, np.fmin(low, middle), low)
    high = np.where(is_common, np.fmax(high, middle), high)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = high - low
        is_known = (others.totals >= _FEWEST) & (spread > 0) & np.isfinite(spread)
        lower = np.where(is_known, low - margin * spread, -np.inf)
        upper = np.where(is_known, high + margin * spread, np.inf)
    return Limits(lower, upper, np.nan_to_num(middle), np.where(is_known, spread, 0.0))
