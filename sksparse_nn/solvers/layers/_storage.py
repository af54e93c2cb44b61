"""Storage of arrays that are mostly zeros, as a bit mask and the other entries."""

import numpy as np


def drop_zeros(values, zero=0):
    """Split an array into a bit mask and its nonzero entries, if that is shorter.

    Parameters
    ----------
    values : ndarray
        The array.

    zero : scalar, default=0
        Value that encodes zero.

    Returns
    -------
    bits : ndarray of uint8 or None
        One bit per entry, set if it is not zero; None if all entries are stored.

    written : ndarray
        The stored entries, in order.
    """
    kept = values != zero
    bits = np.packbits(kept)
    written = values[kept]
    if bits.nbytes + written.nbytes >= values.nbytes:
        return None, values.ravel()
    return bits, written


def restore_zeros(bits, written, shape, zero=0):
    """Undo `drop_zeros`.

    Parameters
    ----------
    bits, written : ndarray
        From `drop_zeros`.

    shape : tuple of int
        Shape of the array.

    zero : scalar, default=0
        Value that encodes zero.

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
