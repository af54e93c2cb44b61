"""Linear layers whose weights take less room than a dense float matrix."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from sksparse_nn.kernels.quantized import int8_product
from sksparse_nn.kernels.sparse_dense import csr_times_dense
from sksparse_nn.solvers.compression import (
    ZERO_BYTES,
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
        if self._dense is not None:
            return self._dense.numpy().copy()
        indptr, indices, data = self._csr
        weight = np.zeros((self.out_features, self.in_features), data.dtype)
        weight[np.repeat(np.arange(self.out_features), np.diff(indptr)), indices] = data
        return weight

    @property
    def n_bytes(self):
        """Count the bytes of the weights in the form in which they are held.

        Returns
        -------
        n_bytes : int
            Without the bias.
        """
        if self._dense is not None:
            return self._dense.numel() * self._dense.element_size()
        return sum(part.nbytes for part in self._csr)

    def forward(self, X):
        """Answer rows.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        outputs : Tensor of shape (n_rows, n_neurons)
            Products with the weights, and the bias.
        """
        if self._dense is not None:
            return nn.functional.linear(X, self._dense, self.bias)
        columns = np.ascontiguousarray(X.detach().numpy().T)
        out = np.empty((self.out_features, len(X)), columns.dtype)
        csr_times_dense(*self._csr, columns, out)
        return torch.from_numpy(np.ascontiguousarray(out.T)) + self.bias

    def _hold(self, weight):
        """Keep the weights in the form that is multiplied."""
        self._dense = None if self.runs_sparse else torch.from_numpy(weight.copy())
        self._csr = _csr(weight) if self.runs_sparse else None

    def __getstate__(self):
        state = dict(vars(self))
        state["_dense"] = state["_csr"] = None
        state["_stored"] = without_zeros(self.dense_weight())
        return state

    def __setstate__(self, state):
        state = dict(state)
        stored = state.pop("_stored")
        super().__setstate__(state)
        weight = with_zeros(*stored, (self.out_features, self.in_features))
        self._hold(weight)

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
        self.n_bits, self.input_scale = n_bits, input_scale
        self._dtype = weight.dtype
        self._quantized = quantized(weight, n_bits)
        self.n_nonzero = int(np.count_nonzero(self.dense_weight()))

    def dense_weight(self):
        """Return the weights that the integers stand for.

        Returns
        -------
        weight : ndarray of shape (n_neurons, n_features)
            A new array.
        """
        return dequantized(self._quantized).astype(self._dtype)

    @property
    def n_bytes(self):
        """Count the bytes of integers and scales.

        Returns
        -------
        n_bytes : int
            Without the bias.
        """
        return self._quantized.values.nbytes + self._quantized.scales.nbytes

    def forward(self, X):
        """Answer rows, each by itself.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        outputs : Tensor of shape (n_rows, n_neurons)
            Products with the weights, and the bias.
        """
        if self.input_scale is None:
            weight = torch.from_numpy(self.dense_weight())
            return nn.functional.linear(X, weight, self.bias)
        X = X.detach().numpy()
        scale = self._scale_of(X)
        integers = np.rint(X / scale).clip(-127, 127).astype(np.int8)
        out = np.empty((len(X), self.out_features), np.int32)
        int8_product(np.ascontiguousarray(integers), self._quantized.values, out)
        scales = scale * self._quantized.scales[:, 0].astype(X.dtype)
        return torch.from_numpy(out.astype(X.dtype) * scales) + self.bias

    def __getstate__(self):
        state, values = dict(vars(self)), self._quantized.values
        state["_quantized"] = replace(self._quantized, values=None)
        state["_stored"] = values.shape, without_zeros(values, self._zero)
        return state

    def __setstate__(self, state):
        state = dict(state)
        shape, stored = state.pop("_stored")
        super().__setstate__(state)
        values = with_zeros(*stored, shape, self._zero)
        self._quantized = replace(self._quantized, values=values)

    @property
    def _zero(self):
        return ZERO_BYTES[self.n_bits]

    def _scale_of(self, X):
        if self.input_scale != "row":
            return X.dtype.type(self.input_scale)
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


def _csr(weight):
    rows, columns = np.nonzero(weight)
    indptr = np.searchsorted(rows, np.arange(len(weight) + 1)).astype(np.int64)
    return indptr, columns.astype(np.int32), weight[rows, columns]

