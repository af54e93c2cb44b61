"""Weights as small integers, with a scale for each row or for parts of it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quantized:
    """A matrix of small integers, times scales.

    Attributes
    ----------
    values : ndarray of int8 or uint8
        Integers, of shape (n_rows, n_columns); of 4 bits two to a byte, of shape
        (n_rows, n_groups * group_size / 2).

    scales : ndarray of float32 of shape (n_rows, n_groups)
        What an integer of one stands for.

    shape : tuple of int
        Of the matrix.

    n_bits : int
        4 or 8.
    """

    values: np.ndarray
    scales: np.ndarray
    shape: tuple
    n_bits: int


# Neighbouring columns of a row that share a scale, where there are 4 bits: with one
# scale a row the largest weight of it would leave the others too few steps.
_GROUP_SIZE = 32

# A byte of zeros, by the number of bits of each.
ZERO_BYTES = {8: 0, 4: 8 | 8 << 4}


def quantized(weight, n_bits=8):
    """Round a matrix to integers that are symmetric about zero.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Numbers.

    n_bits : int, default=8
        8, with a scale a row, or 4, with a scale for each 32 columns of a row.

    Returns
    -------
    quantized : Quantized
        Every number is at most half a scale away from its own.
    """
    n_rows, n_columns = weight.shape
    size = n_columns if n_bits == 8 else _GROUP_SIZE
    n_groups = -(-n_columns // size) if n_columns else 0
    padded = np.zeros((n_rows, n_groups * size), np.float64)
    padded[:, :n_columns] = weight
    groups = padded.reshape(n_rows, n_groups, size)
    largest = 2 ** (n_bits - 1) - 1
    scales = (np.abs(groups).max(axis=2, initial=0) / largest).astype(np.float32)
    steps = np.where(scales > 0, scales, 1)[:, :, None].astype(np.float64)
    integers = np.rint(groups / steps).clip(-largest, largest).astype(np.int8)
    integers = integers.reshape(padded.shape)
    values = integers[:, :n_columns] if n_bits == 8 else _packed(integers)
    return Quantized(np.ascontiguousarray(values), scales, weight.shape, n_bits)


def dequantized(quantized):
    """Return the matrix that integers and scales stand for.

    Parameters
    ----------
    quantized : Quantized
        From `quantized`.

    Returns
    -------
    weight : ndarray of float32 of shape (n_rows, n_columns)
        Integers times scales.
    """
    integers, (n_rows, n_columns) = quantized.values, quantized.shape
    if quantized.n_bits == 4:
        integers = _unpacked(integers)
    if not quantized.scales.size:
        return np.zeros(quantized.shape, np.float32)
    groups = integers.reshape(n_rows, quantized.scales.shape[1], -1)
    return (groups * quantized.scales[:, :, None]).reshape(n_rows, -1)[:, :n_columns]


def _packed(integers):
    """Put two integers from -7 to 7 into a byte."""
    shifted = (integers + 8).astype(np.uint8)
    return shifted[:, ::2] | (shifted[:, 1::2] << 4)


def _unpacked(packed):
    integers = np.empty((len(packed), 2 * packed.shape[1]), np.int8)
    integers[:, ::2] = (packed & 15).astype(np.int8) - 8
    integers[:, 1::2] = (packed >> 4).astype(np.int8) - 8
    return integers
