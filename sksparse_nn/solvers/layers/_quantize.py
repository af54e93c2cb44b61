"""Quantization of weights to small integers, with a scale per row or group."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quantized:
    """A matrix of small integers with scales.

    Attributes
    ----------
    values : ndarray of int8 or uint8
        With 8 bits the integers, of shape (n_rows, n_columns); with 4 bits two integers
        per byte, of shape (n_rows, n_groups * group_size / 2).

    scales : ndarray of float32 of shape (n_rows, n_groups)
        Value of the integer one, per group.

    shape : tuple of int
        Shape of the matrix.

    n_bits : int
        Bits per integer, 4 or 8.
    """

    values: np.ndarray
    scales: np.ndarray
    shape: tuple
    n_bits: int


# Neighbouring columns of a row that share a scale with 4 bits, at most. With one scale
# per row, its largest weight would leave the others too few steps.
_GROUP_SIZE = 32

# Byte that encodes zeros, by the number of bits.
ZERO_BYTES = {8: 0, 4: 8 | 8 << 4}


def quantize_matrix(weight, n_bits=8):
    """Round a matrix to integers that are symmetric about zero.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Weights.

    n_bits : int, default=8
        8, with one scale per row, or 4, with one scale per 32 columns of a row.

    Returns
    -------
    quantized : Quantized
        Integers and scales, each at most half a scale away from the weight.
    """
    n_rows, n_columns = weight.shape
    size = n_columns if n_bits == 8 else min(_GROUP_SIZE, n_columns + n_columns % 2)
    n_groups = -(-n_columns // size) if n_columns else 0
    padded = np.zeros((n_rows, n_groups * size), np.float64)
    padded[:, :n_columns] = weight
    groups = padded.reshape(n_rows, n_groups, size)
    largest = 2 ** (n_bits - 1) - 1
    scales = (np.abs(groups).max(axis=2, initial=0) / largest).astype(np.float32)
    steps = np.where(scales > 0, scales, 1)[:, :, None].astype(np.float64)
    integers = np.rint(groups / steps).clip(-largest, largest).astype(np.int8)
    integers = integers.reshape(padded.shape)
    values = integers[:, :n_columns] if n_bits == 8 else _pack_pairs(integers)
    return Quantized(np.ascontiguousarray(values), scales, weight.shape, n_bits)


def dequantize_matrix(quantized):
    """Multiply integers by their scales.

    Parameters
    ----------
    quantized : Quantized
        From `quantize_matrix`.

    Returns
    -------
    weight : ndarray of float32 of shape (n_rows, n_columns)
        The weights, rounded.
    """
    integers, (n_rows, n_columns) = quantized.values, quantized.shape
    if quantized.n_bits == 4:
        integers = _unpack_pairs(integers)
    if not quantized.scales.size:
        return np.zeros(quantized.shape, np.float32)
    groups = integers.reshape(n_rows, quantized.scales.shape[1], -1)
    return (groups * quantized.scales[:, :, None]).reshape(n_rows, -1)[:, :n_columns]


def _pack_pairs(integers):
    """Pack two integers from -7 to 7 into each byte."""
    shifted = (integers + 8).astype(np.uint8)
    return shifted[:, ::2] | (shifted[:, 1::2] << 4)


def _unpack_pairs(packed):
    integers = np.empty((len(packed), 2 * packed.shape[1]), np.int8)
    integers[:, ::2] = (packed & 15).astype(np.int8) - 8
    integers[:, 1::2] = (packed >> 4).astype(np.int8) - 8
    return integers
