"""Linear layers whose weights take less room than a dense float matrix."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from sksparse_nn.kernels.quantized import int8_product
from sksparse_nn.kernels.sparse_dense import csr_times_dense
from sksparse_nn.solvers.layers import (
    ZERO_BYTES,
    Quantized,
    dequantized,
    quantized,
    with_zeros,
    without_zeros,
)

# A sparse product of one row takes less time than a dense one from about this many
# weights on, and up to this share of nonzeros.
_MIN_SIZE = 2**18
_MAX_SHARE = 0.03


class CompressedLinear(nn.Module):
    """A linear layer that is not trained any more.

    Parameters
    ----------
    bias : Tensor of shape (n_neurons,)
        Added to each row.

    n_features : int
        Width of the input.

    Attributes
    ----------
    in_features, out_features : int
        Widths of input and output.
    """

    def __init__(self, bias, n_features):
        super().__init__()
        bias = bias.detach().cpu().clone()
        self.bias = nn.Parameter(bias, requires_grad=False)
        self.in_features, self.out_features = n_features, len(bias)

    def extra_repr(self):
        """Name the widths.

        Returns
        -------
        text : str
            As ``torch.nn.Linear`` does.
        """
        return f"in_features={self.in_features}, out_features={self.out_features}"

    @property
    def weight(self):
        """Return the weights as a plain layer has them, in a new tensor.

        Returns
        -------
        weight : Tensor of shape (n_neurons, n_features)
            What `forward` multiplies by.
        """
        return torch.from_numpy(self.dense_weight())


class PrunedLinear(CompressedLinear):
    """A layer that stores its nonzero weights only.

    Parameters
    ----------
    layer : torch.nn.Linear
        Whose weights are mostly zero.

    Attributes
    ----------
    runs_sparse : bool
        Whether products go through the nonzero weights alone: where the layer is large
        and hardly any are left. It follows from these counts, so that the same weights
        give the same outputs on any machine.

    n_nonzero : int
        Number of weights that are not zero.
    """

    def __init__(self, layer):
        super().__init__(_bias(layer), layer.in_features)
        weight = layer.weight.detach().cpu().numpy()
        self.n_nonzero = int(np.count_nonzero(weight))
        self.runs_sparse = (
            weight.size >= _MIN_SIZE and self.n_nonzero <= _MAX_SHARE * weight.size
        )
        self._hold(weight)

    def dense_weight(self):
        """Return the weights with their zeros.

        Returns
        -------
        weight : ndarray of shape (n_neurons, n_features)
            A new array.
        """
        values = self.values.numpy()
        if not self.runs_sparse:
            return values.copy()
        weight = np.zeros((self.out_features, self.in_features), values.dtype)
        counts = np.diff(self.indptr.numpy())
        rows = np.repeat(np.arange(self.out_features), counts)
        weight[rows, self.indices.numpy()] = values
        return weight

    @property
    def n_bytes(self):
        """Count the bytes of the weights in the form in which they are held.

        Returns
        -------
        n_bytes : int
            Without the bias.
        """
        return sum(part.nbytes for part in self.buffers())

    def forward(self, X):
        """Answer rows.

        Parameters
        ----------
        X : Tensor of shape (..., n_features)
            Rows.

        Returns
        -------
        outputs : Tensor of shape (..., n_neurons)
            Products with the weights, and the bias.
        """
        if not self.runs_sparse:
            return nn.functional.linear(X, self.values, self.bias)
        if _is_traced():
            return nn.functional.linear(X, self._traced_weight(), self.bias)
        rows = X.detach().numpy().reshape(-1, self.in_features)
        columns = np.ascontiguousarray(rows.T)
        out = np.empty((self.out_features, len(rows)), columns.dtype)
        csr = (part.numpy() for part in (self.indptr, self.indices, self.values))
        csr_times_dense(*csr, columns, out)
        out = torch.from_numpy(np.ascontiguousarray(out.T)) + self.bias
        return out.reshape(*X.shape[:-1], self.out_features)

    def _traced_weight(self):
        """Return the weights by operations that can be written down as a graph."""
        counts = self.indptr[1:] - self.indptr[:-1]
        rows = torch.repeat_interleave(
            torch.arange(self.out_features), counts, output_size=self.n_nonzero
        )
        weight = self.values.new_zeros(self.out_features, self.in_features)
        return weight.index_put((rows, self.indices.long()), self.values)

    def _hold(self, weight):
        """Keep the weights in the form that is multiplied."""
        if not self.runs_sparse:
            self.register_buffer("values", torch.from_numpy(weight.copy()))
            return
        for name, part in zip(
            ("indptr", "indices", "values"), _csr(weight), strict=True
        ):
            self.register_buffer(name, torch.from_numpy(part))

    def __getstate__(self):
        state = dict(vars(self)) | {"_buffers": {}}
        state["_stored"] = without_zeros(self.dense_weight())
        return state

    def __setstate__(self, state):
        state = dict(state)
        stored = state.pop("_stored")
        super().__setstate__(state)
        self._buffers = {}
        self._hold(with_zeros(*stored, (self.out_features, self.in_features)))

    def __deepcopy__(self, memo):
        twin = memo[id(self)] = type(self).__new__(type(self))
        twin.__setstate__(deepcopy(self.__getstate__(), memo))
        return twin


class QuantizedLinear(CompressedLinear):
    """A layer whose weights are small integers, with scales.

    Parameters
    ----------
    layer : torch.nn.Module
        A linear or pruned layer.

    n_bits : int
        8 or 4.

    input_scale : float, "row" or None
        What an integer of the input stands for: one number for all, or a hundred and
        twenty-seventh of each row's largest; None leaves the input as it is.
    """

    def __init__(self, layer, n_bits, input_scale):
        super().__init__(_bias(layer), layer.in_features)
        weight = dense_weight(layer)
        found = quantized(weight, n_bits)
        self.n_bits, self._dtype = n_bits, weight.dtype
        self._by_row = input_scale == "row"
        self.register_buffer("values", torch.from_numpy(found.values))
        self.register_buffer("scales", torch.from_numpy(found.scales))
        if isinstance(input_scale, float):
            scale = torch.tensor(input_scale, dtype=torch.float64)
            self.register_buffer("input_scale", scale)
        self.n_nonzero = int(np.count_nonzero(self.dense_weight()))

    def dense_weight(self):
        """Return the weights that the integers stand for.

        Returns
        -------
        weight : ndarray of shape (n_neurons, n_features)
            A new array.
        """
        shape = self.out_features, self.in_features
        values, scales = self.values.numpy(), self.scales.numpy()
        found = Quantized(values, scales, shape, self.n_bits)
        return dequantized(found).astype(self._dtype)

    @property
    def n_bytes(self):
        """Count the bytes of integers and scales.

        Returns
        -------
        n_bytes : int
            Without the bias.
        """
        return self.values.nbytes + self.scales.nbytes

    def forward(self, X):
        """Answer rows, each by itself.

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
            weight = self._traced_weight() if _is_traced() else self.weight
            return nn.functional.linear(X, weight, self.bias)
        if _is_traced():
            return self._traced(X)
        rows = X.detach().numpy().reshape(-1, self.in_features)
        scale = self._scale_of(rows)
        integers = np.rint(rows / scale).clip(-127, 127).astype(np.int8)
        out = np.empty((len(rows), self.out_features), np.int32)
        int8_product(np.ascontiguousarray(integers), self.values.numpy(), out)
        scales = scale * self.scales.numpy()[:, 0].astype(rows.dtype)
        out = torch.from_numpy(out.astype(rows.dtype) * scales) + self.bias
        return out.reshape(*X.shape[:-1], self.out_features)

    @property
    def _rounds_input(self):
        return self._by_row or "input_scale" in self._buffers

    def _traced(self, X):
        """Answer as `forward` does, by operations that can be written down as a graph.

        Sums of products of integers are exact in double precision.
        """
        if self._by_row:
            largest = X.abs().amax(-1, keepdim=True) / 127
            scale = torch.where(largest > 0, largest, 1)
        else:
            scale = self.input_scale.to(X.dtype)
        integers = (X / scale).round().clamp(-127, 127).double()
        out = integers @ self.values.double().T
        return out.to(X.dtype) * (scale * self.scales[:, 0].to(X.dtype)) + self.bias

    def _traced_weight(self):
        values = self.values
        if self.n_bits == 4:
            halves = [(values & 15).to(torch.int8), (values >> 4).to(torch.int8)]
            values = torch.stack(halves, -1).flatten(-2) - 8
        groups = (
            values.unflatten(-1, (self.scales.shape[1], -1)) * self.scales[..., None]
        )
        return groups.flatten(-2)[:, : self.in_features].to(self.bias.dtype)

    def __getstate__(self):
        buffers = dict(self._buffers)
        values = buffers.pop("values").numpy()
        state = dict(vars(self)) | {"_buffers": buffers}
        state["_stored"] = values.shape, without_zeros(values, ZERO_BYTES[self.n_bits])
        return state

    def __setstate__(self, state):
        state = dict(state)
        shape, stored = state.pop("_stored")
        super().__setstate__(state)
        values = with_zeros(*stored, shape, ZERO_BYTES[self.n_bits])
        self._buffers = {"values": torch.from_numpy(values.copy())} | self._buffers

    def _scale_of(self, X):
        if not self._by_row:
            return X.dtype.type(self.input_scale.item())
        largest = np.abs(X).max(axis=1, initial=0, keepdims=True)
        return np.where(largest > 0, largest / 127, 1).astype(X.dtype)


def dense_weight(layer):
    """Return the weights of a layer of any kind.

    Parameters
    ----------
    layer : torch.nn.Linear or CompressedLinear
        The layer.

    Returns
    -------
    weight : ndarray of shape (n_neurons, n_features)
        A new array.
    """
    if isinstance(layer, CompressedLinear):
        return layer.dense_weight()
    return layer.weight.detach().cpu().numpy().copy()


def _bias(layer):
    if layer.bias is not None:
        return layer.bias
    return torch.zeros(layer.out_features, dtype=layer.weight.dtype)


def _is_traced():
    """Tell whether operations are written down instead of carried out."""
    return torch.jit.is_tracing() or torch.compiler.is_compiling()


def _csr(weight):
    rows, columns = np.nonzero(weight)
    indptr = np.searchsorted(rows, np.arange(len(weight) + 1)).astype(np.int64)
    return indptr, columns.astype(np.int32), weight[rows, columns]
