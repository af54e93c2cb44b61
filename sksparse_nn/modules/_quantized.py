"""Layers whose weights are small integers, with scales."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sksparse_nn.kernels.quantized import int8_product
from sksparse_nn.modules._compressed import (
    CompressedLinear,
    CompressedMatrix,
    bias_of,
    is_traced,
    pack_values,
    unpack_values,
)
from sksparse_nn.modules._modes import in_full_precision
from sksparse_nn.solvers.layers import (
    ZERO_BYTES,
    Quantized,
    dequantize_matrix,
    quantize_for_products,
    quantize_matrix,
)


class QuantizedMatrix(CompressedMatrix):
    """A layer whose matrix is one of small integers, with scales."""

    def _store(self, weight, n_bits, input_scale, squares=None):
        if squares is None:
            found = quantize_matrix(weight, n_bits)
        else:
            found = quantize_for_products(weight, squares, n_bits)
        self.n_bits, self._dtype = n_bits, weight.dtype
        self._by_sample = input_scale == "row"
        self.register_buffer("values", torch.from_numpy(found.values))
        self.register_buffer("scales", torch.from_numpy(found.scales))
        if isinstance(input_scale, float):
            scale = torch.tensor(input_scale, dtype=torch.float64)
            self.register_buffer("input_scale", scale)
        self.n_nonzero = int(np.count_nonzero(self.dense_matrix()))

    def dense_matrix(self) -> NDArray:
        """Return the weights as a dense matrix of floats.

        Returns
        -------
        weight : ndarray of shape (n_rows, n_columns)
            A new array.
        """
        values, scales = self.values.numpy(), self.scales.numpy()
        found = Quantized(values, scales, self.matrix_shape, self.n_bits)
        return dequantize_matrix(found).astype(self._dtype)

    @property
    def n_bytes(self) -> int:
        """Count the bytes of integers and scales.

        Returns
        -------
        n_bytes : int
            Without the bias.
        """
        return self.values.nbytes + self.scales.nbytes

    @property
    def _rounds_input(self):
        return self._by_sample or "input_scale" in self._buffers

    def _float_weight(self):
        """Return the weights, also where torch traces."""
        if not is_traced():
            return self.weight
        found = self.values, self.scales, self.n_bits, self.matrix_shape[1]
        matrix = traced_matrix(*found).to(getattr(torch, self._dtype.name))
        return matrix.reshape(self.weight_shape)

    def _round(self, X, n_dims):
        """Round samples of some dimensions to integers, by operations of torch."""
        if self._by_sample:
            dims = tuple(range(-n_dims, 0))
            largest = X.abs().amax(dims, keepdim=True) / 127
            scale = torch.where(largest > 0, largest, 1)
        else:
            scale = self.input_scale.to(X.dtype)
        return (X / scale).round().clamp(-127, 127), scale

    def __getstate__(self):
        return pack_values(self, ZERO_BYTES[self.n_bits])

    def __setstate__(self, state):
        super().__setstate__(unpack_values(state, ZERO_BYTES[state["n_bits"]]))


class QuantizedLinear(QuantizedMatrix, CompressedLinear):
    """A linear layer whose weights are small integers, with scales.

    Parameters
    ----------
    layer : torch.nn.Module
        A linear or pruned layer.

    n_bits : int
        8 or 4.

    input_scale : float, "row" or None
        Scale of the integers that the input is rounded to: one number for all rows, or
        1/127 of the largest value of each row; None does not round the input.

    squares : ndarray of shape (1, n_inputs, n_inputs) or None, default=None
        As `quantize` takes them.
    """

    def __init__(
        self,
        layer: torch.nn.Module,
        n_bits: int,
        input_scale: float | str | None,
        squares: NDArray | None = None,
    ) -> None:
        super().__init__(bias_of(layer), layer.in_features)
        weight = layer.weight.detach().cpu().numpy()
        self._store(weight, n_bits, input_scale, squares)

    @in_full_precision
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Multiply by the weights and add the bias, row by row.

        Parameters
        ----------
        X : Tensor of shape (..., n_features)
            Rows.

        Returns
        -------
        outputs : Tensor of shape (..., n_neurons)
            Products with the weights, and the bias.
        """
        if not self._rounds_input:
            return nn.functional.linear(X, self._float_weight(), self.bias)
        if is_traced():
            return self._forward_traced(X)
        rows = X.detach().numpy().reshape(-1, self.in_features)
        scale = self._scale_of(rows)
        integers = np.rint(rows / scale).clip(-127, 127).astype(np.int8)
        out = np.empty((len(rows), self.out_features), np.int32)
        int8_product(np.ascontiguousarray(integers), self.values.numpy(), out)
        scales = scale * self.scales.numpy()[:, 0].astype(rows.dtype)
        out = torch.from_numpy(out.astype(rows.dtype) * scales) + self.bias
        return out.reshape(*X.shape[:-1], self.out_features)

    def _forward_traced(self, X):
        """Compute `forward` by operations that torch can trace.

        Sums of products of integers are exact in double precision.
        """
        integers, scale = self._round(X, 1)
        out = integers.double() @ self.values.double().T
        return out.to(X.dtype) * (scale * self.scales[:, 0].to(X.dtype)) + self.bias

    def _scale_of(self, X):
        if not self._by_sample:
            return X.dtype.type(self.input_scale.item())
        largest = np.abs(X).max(axis=1, initial=0, keepdims=True)
        return np.where(largest > 0, largest / 127, 1).astype(X.dtype)


def traced_matrix(values, scales, n_bits, n_columns):
    """Multiply integers by their scales, by operations that torch can trace.

    Parameters
    ----------
    values, scales : Tensor
        As `Quantized` has them.

    n_bits : int
        8 or 4.

    n_columns : int
        Width of the matrix.

    Returns
    -------
    matrix : Tensor of shape (n_rows, n_columns)
        In the float type of the scales.
    """
    if n_bits == 4:
        halves = [(values & 15).to(torch.int8), (values >> 4).to(torch.int8)]
        values = torch.stack(halves, -1).flatten(-2) - 8
    groups = values.unflatten(-1, (scales.shape[1], -1)) * scales[..., None]
    return groups.flatten(-2)[:, :n_columns]
