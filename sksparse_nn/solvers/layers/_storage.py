"""Matrices of mostly one number, written with a bit for each place of it."""

import numpy as np


def without_zeros(values, zero=0):
    """Write an array by which entries are zero, and the others, if that is shorter.

    Parameters
    ----------
    values : ndarray
        Numbers.

    zero : scalar, default=0
        What stands for zero.

    Returns
    -------
    bits : ndarray of uint8 or None
        A bit for each entry, set where it is not zero; None where all are written.

    written : ndarray
        The entries that are written, in order.
    """
    kept = values != zero
    bits = np.packbits(kept)
    written = values[kept]
    if bits.nbytes + written.nbytes >= values.nbytes:
        return None, values.ravel()
    return bits, written


def with_zeros(bits, written, shape, zero=0):
    """Undo `without_zeros`.

    Parameters
    ----------
    bits, written : ndarray
        What it returned.

    shape : tuple of int
        Of the array.

    zero : scalar, default=0
        What stands for zero.

    Returns
    -------
    values : ndarray
        The array.
    """
    if bits is None:
        return written.reshape(shape)
    values = np.full(shape, zero, written.dtype)
    kept = np.unpackbits(bits, count=values.size).astype(bool)
    values.reshape(-1)[kept] = written
    return values
