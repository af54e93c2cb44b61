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

# Added to the squares of each input, in units of the mean square.
_RIDGE = 1e-2

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
    _, size, n_groups = _group_columns(weight.shape, n_bits)
    padded = _pad(weight, n_groups * size)
    scales = _find_scales(padded.reshape(len(weight), n_groups, size), n_bits)
    integers = _round(padded, np.repeat(scales, size, axis=1), n_bits)
    return _store(integers, scales, weight.shape, n_bits)


def quantize_for_products(weight, squares, n_bits=8):
    """Round a matrix so that its products with some inputs are nearly kept.

    Columns are rounded one after the other, and those that follow make up for the error
    of each: E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, "GPTQ: Accurate
    Post-Training Quantization for Generative Pre-trained Transformers", ICLR 2023. A
    group takes its scale when its first column is rounded. Zeros stay zero.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Weights.

    squares : ndarray of shape (n_groups, n_columns, n_columns)
        Products of the inputs with each other, summed, for each of as many groups of
        rows.

    n_bits : int, default=8
        As for `quantize_matrix`.

    Returns
    -------
    quantized : Quantized
        Integers and scales.
    """
    parts = zip(np.split(weight, len(squares)), squares, strict=True)
    found = [_quantize_columns(*part, n_bits) for part in parts]
    integers, scales = (np.concatenate(rows) for rows in zip(*found, strict=True))
    return _store(integers, scales, weight.shape, n_bits)


def _quantize_columns(weight, squares, n_bits):
    n_columns, size, n_groups = _group_columns(weight.shape, n_bits)
    rest = _pad(weight, n_groups * size)
    is_free = rest != 0
    inverse = _invert_squares(squares)
    scales = np.zeros((len(rest), n_groups), np.float32)
    integers = np.zeros(rest.shape, np.int8)
    for j in range(n_columns):
        if j % size == 0:
            group = rest[:, None, j : j + size]
            scales[:, j // size] = _find_scales(group, n_bits)[:, 0]
        scale = scales[:, j // size]
        integers[:, j] = _round(rest[:, j], scale, n_bits)
        error = (rest[:, j] - integers[:, j] * scale.astype(np.float64)) / inverse[j, j]
        later = slice(j + 1, n_columns)
        rest[:, later] -= np.outer(error, inverse[j, j + 1 :]) * is_free[:, later]
    return integers, scales


def _invert_squares(squares):
    """Return the upper Cholesky factor of the inverse; the identity for no inputs."""
    total = np.trace(squares)
    if not total > 0:
        return np.eye(len(squares))
    penalised = squares * (len(squares) / total) + _RIDGE * np.eye(len(squares))
    return np.linalg.cholesky(np.linalg.inv(penalised)).T


def _group_columns(shape, n_bits):
    """Return the number of columns, the columns per group, and the number of groups."""
    n_columns = shape[1]
    size = n_columns if n_bits == 8 else min(_GROUP_SIZE, n_columns + n_columns % 2)
    return n_columns, size, -(-n_columns // size) if n_columns else 0


def _pad(weight, n_columns):
    padded = np.zeros((len(weight), n_columns), np.float64)
    padded[:, : weight.shape[1]] = weight
    return padded


def _find_scales(groups, n_bits):
    largest = np.abs(groups).max(axis=2, initial=0)
    return (largest / _largest_integer(n_bits)).astype(np.float32)


def _round(weight, scales, n_bits):
    steps = np.where(scales > 0, scales, 1).astype(np.float64)
    largest = _largest_integer(n_bits)
    return np.rint(weight / steps).clip(-largest, largest).astype(np.int8)


def _largest_integer(n_bits):
    return 2 ** (n_bits - 1) - 1


def _store(integers, scales, shape, n_bits):
    values = integers[:, : shape[1]] if n_bits == 8 else _pack_pairs(integers)
    return Quantized(np.ascontiguousarray(values), scales, shape, n_bits)


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
