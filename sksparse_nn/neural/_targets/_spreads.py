"""Weighted quantiles and spreads of columns."""

import numpy as np

# Standard deviation of a normal distribution over its median absolute deviation.
_NORMAL = 1.4826


def weighted_quantiles(y, weight, quantile):
    """Return the weighted quantile of each column.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_columns)
        Values.

    weight : ndarray of shape (n_samples,)
        Weights of the samples, all positive.

    quantile : float
        From 0 to 1.

    Returns
    -------
    quantiles : ndarray of shape (n_columns,)
        The midpoint where two values qualify.
    """
    order = np.argsort(y, axis=0, kind="stable")
    values, sums = np.take_along_axis(y, order, axis=0), weight[order]
    del order
    np.cumsum(sums, axis=0, out=sums)
    # Sums of integer weights are exact, so repeated samples give the same quantile.
    wanted = quantile * sums[-1]
    rounding = 1e-12 * sums[-1]
    low = (sums < wanted - rounding).sum(axis=0)
    high = (sums <= wanted + rounding).sum(axis=0).clip(max=len(y) - 1)
    columns = np.arange(y.shape[1])
    return (values[low, columns] + values[high, columns]) / 2


def robust_spreads(y, weight):
    """Return spreads of columns that a few outliers do not change.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_columns)
        Values.

    weight : ndarray of shape (n_samples,)
        Weights of the samples, all positive.

    Returns
    -------
    spreads : ndarray of shape (n_columns,)
        Median absolute deviations, in standard deviations of a normal distribution;
        mean absolute deviations where the median is zero; zeros for constant columns.
    """
    median = weighted_quantiles(y, weight, 0.5)
    deviations = np.abs(y - median)
    spreads = _NORMAL * weighted_quantiles(deviations, weight, 0.5)
    means = np.average(deviations, axis=0, weights=weight)
    return zero_rounding(np.where(spreads > 0, spreads, means), median)


def is_rounding(deviation, value):
    """Return where a deviation is no more than the rounding of a value.

    Parameters
    ----------
    deviation, value : ndarray
        Of the same shape.

    Returns
    -------
    is_rounding : ndarray of bool
        True where it is.
    """
    return np.abs(deviation) <= 10 * np.finfo(np.float64).eps * np.abs(value)


def zero_rounding(scale, value):
    """Set scales that are no more than rounding to zero.

    Parameters
    ----------
    scale, value : ndarray of shape (n_columns,)
        Scales, and the means or medians they belong to.

    Returns
    -------
    scale : ndarray of shape (n_columns,)
        A new array.
    """
    return np.where(is_rounding(scale, value), 0.0, scale)
