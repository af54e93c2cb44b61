"""Magnitude of numbers, whose squares must be representable."""

import numpy as np
from scipy import sparse

# Numbers whose squares and sums of squares are representable in any type.
_SAFE = 2.0**20

# Numbers whose sums of squares are representable in float64, for any number of rows.
_LARGEST = 1e140


def check_squares(X, *, vanishing=True):
    """Raise if squares overflow or vanish in float64.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers. Those of float32 all have squares.

    vanishing : bool, default=True
        Whether to raise for vanishing squares too.

    Raises
    ------
    ValueError
        If the largest magnitude is beyond 1e140, or below 1e-140 and not zero.
    """
    if X.dtype == np.float32 or are_squares_safe(X):
        return
    largest = find_largest(X)
    smallest = 1 / _LARGEST if vanishing else 0.0
    if largest and not smallest <= largest <= _LARGEST:
        raise ValueError(
            f"The energy of X is a sum of squares, which float64 holds only where the "
            f"largest magnitude is from {smallest:g} to {_LARGEST:g}. Got "
            f"{largest:g}; scale X."
        )


def are_squares_safe(X):
    """Check quickly that numbers are finite and their squares representable.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    are_safe : bool
        False if it takes a slower check to decide.
    """
    return _is_within(X, 1 / _LARGEST, _LARGEST)


def squares_vanish(X):
    """Return whether the squares of all numbers vanish in float64.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    vanish : bool
        False if all are zero.
    """
    return 0 < find_largest(X) < 1 / _LARGEST


def power_of_two(X):
    """Return the power of two below the largest number, or one if none is needed.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    unit : float
        In this unit the squares of the numbers are representable in their type.
    """
    if _is_within(X, 1 / _SAFE, _SAFE):
        return 1.0
    largest = find_largest(X)
    if largest == 0 or 1 / _SAFE <= largest <= _SAFE:
        return 1.0
    exponent = np.floor(np.log2(largest))
    # Both the unit and its inverse must be representable in the type.
    bound = np.finfo(X.dtype).maxexp - 8
    return float(2.0 ** np.clip(exponent, -bound, bound))


def _is_within(X, low, high):
    """Tell by the norm, which BLAS has soon, whether the largest number surely is."""
    X = getattr(X, "whole", X)  # of picked rows: a bound
    values = X.data if sparse.issparse(X) else X
    if not values.flags.c_contiguous:
        return False
    flat = values.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        norm = np.sqrt(float(flat @ flat))
    # The largest is between the root mean square and the norm, both up to rounding.
    return bool(2 * low * np.sqrt(flat.size) <= norm <= high / 2)


def find_largest(X):
    """Return the largest magnitude, zero if there is none; NaN is ignored.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Numbers.

    Returns
    -------
    largest : float
        Zero or more.
    """
    X = getattr(X, "whole", X)  # a bound for picked rows
    values = X.data if sparse.issparse(X) else X
    if not values.size:
        return 0.0
    largest = max(abs(float(values.max())), abs(float(values.min())))
    if np.isnan(largest):
        largest = np.abs(values[~np.isnan(values)]).max(initial=0)
    return float(largest)
