"""How large numbers are: their squares have to stay within a type."""

import numpy as np
from scipy import sparse

# Numbers whose squares and sums of squares stay within any type.
_SAFE = 2.0**20

# And those whose sums of squares stay within float64, for any number of rows.
_LARGEST = 1e140


def check_squares(X, *, vanishing=True):
    """Refuse data whose squares overflow or vanish in float64.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers. Those of float32 all have squares.

    vanishing : bool, default=True
        Whether numbers are refused whose squares vanish, too.

    Raises
    ------
    ValueError
        If the largest magnitude is beyond 1e140, or below 1e-140 and not zero.
    """
    if X.dtype == np.float32 or are_squares_safe(X):
        return
    largest = largest_of(X)
    smallest = 1 / _LARGEST if vanishing else 0.0
    if largest and not smallest <= largest <= _LARGEST:
        raise ValueError(
            f"The energy of X is a sum of squares, which float64 holds only where the "
            f"largest magnitude is from {smallest:g} to {_LARGEST:g}. Got "
            f"{largest:g}; scale X."
        )


def are_squares_safe(X):
    """Tell by one reading that all numbers are finite and no check of squares fails.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    are_safe : bool
        False where it takes a closer look to tell.
    """
    return _is_within(X, 1 / _LARGEST, _LARGEST)


def squares_vanish(X):
    """Tell whether numbers are so small that float64 does not hold their squares.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    vanish : bool
        False where all are zero.
    """
    return 0 < largest_of(X) < 1 / _LARGEST


def power_of_two(X):
    """Return the power of two next below the largest number, one if none is needed.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    unit : float
        In units of it the squares of the numbers stay within their type.
    """
    if _is_within(X, 1 / _SAFE, _SAFE):
        return 1.0
    largest = largest_of(X)
    if largest == 0 or 1 / _SAFE <= largest <= _SAFE:
        return 1.0
    exponent = np.floor(np.log2(largest))
    # Within what both a number and its inverse can be in the type.
    bound = np.finfo(X.dtype).maxexp - 8
    return float(2.0 ** np.clip(exponent, -bound, bound))


def _is_within(X, low, high):
    """Tell by the norm, which BLAS has soon, whether the largest number surely is."""
    values = X.data if sparse.issparse(X) else X
    if not values.flags.c_contiguous:
        return False
    flat = values.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        norm = np.sqrt(float(flat @ flat))
    # The largest is from the root mean square to the norm; rounding has moved both.
    return bool(2 * low * np.sqrt(flat.size) <= norm <= high / 2)


def largest_of(X):
    """Return the largest magnitude, zero if there is no number; NaN does not count.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    largest : float
        Zero or more.
    """
    X = getattr(X, "whole", X)  # of picked rows: a bound
    values = X.data if sparse.issparse(X) else X
    if not values.size:
        return 0.0
    largest = max(abs(float(values.max())), abs(float(values.min())))
    if np.isnan(largest):
        largest = np.abs(values[~np.isnan(values)]).max(initial=0)
    return float(largest)
