"""Layers that store only their nonzero weights."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sksparse_nn.kernels.sparse_dense import csr_times_dense
from sksparse_nn.modules._compressed import (
    CompressedLinear,
    CompressedMatrix,
    bias_of,
    is_traced,
    pack_arrays,
    unpack_arrays,
)
from sksparse_nn.solvers.layers import drop_zeros, restore_zeros

# A sparse product with one row is faster than a dense one from about this many
# weights, and up to this share of nonzeros.
_MIN_SIZE = 2**18
_MAX_SHARE = 0.03


class PrunedMatrix(CompressedMatrix):
    """A layer that stores only the nonzero weights of its matrix.

    Attributes
    ----------
    runs_sparse : bool
        Whether products use the nonzero weights only.
    """

    runs_sparse = False

    def _store(self, weight):
        self.n_nonzero = int(np.count_nonzero(weight))
        self._hold(weight)

    def dense_matrix(self) -> NDArray:
        """Return the weights as a dense matrix.

        Returns
        -------
        weight : ndarray of shape (n_rows, n_columns)
            A new array.
        """
        values = self.values.numpy()
        if not self.runs_sparse:
            return values.copy()
        weight = np.zeros(self.matrix_shape, values.dtype)
        counts = np.diff(self.indptr.numpy())
        rows = np.repeat(np.arange(len(weight)), counts)
        weight[rows, self.indices.numpy()] = values
        return weight

    @property
    def n_bytes(self) -> int:
        """Count the bytes of the weights as they are stored.

        Returns
        -------
        n_bytes : int
            Without the bias.
        """
        return sum(part.nbytes for part in self.buffers())

    def _hold(self, weight):
        """Store the weights in the form that `forward` multiplies by."""
        if not self.runs_sparse:
            self.register_buffer("values", torch.from_numpy(weight.copy()))
            return
        for name, part in zip(
            ("indptr", "indices", "values"), _csr(weight), strict=True
        ):
            self.register_buffer(name, torch.from_numpy(part))

    def __getstate__(self):
        state = dict(vars(self)) | {"_buffers": {}}
        state["_stored"] = drop_zeros(self.dense_matrix())
        return pack_arrays(state)

    def __setstate__(self, state):
        state = unpack_arrays(state)
        stored = state.pop("_stored")
        super().__setstate__(state)
        self._buffers = {}
        self._hold(restore_zeros(*stored, self.matrix_shape))

    def __deepcopy__(self, memo):
        twin = memo[id(self)] = type(self).__new__(type(self))
        twin.__setstate__(deepcopy(self.__getstate__(), memo))
        return twin


class PrunedLinear(PrunedMatrix, CompressedLinear):
    """A linear layer that stores only its nonzero weights.

    Parameters
    ----------
    layer : torch.nn.Linear
        A layer with mostly zero weights.

    Attributes
    ----------
    runs_sparse : bool
        Whether products use the nonzero weights only: if the layer is large and few
        are nonzero. It depends on these counts alone, so that the same weights give the
        same outputs on any machine.

    n_nonzero : int
        Number of weights that are not zero.
    """

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__(bias_of(layer), layer.in_features)
        weight = layer.weight.detach().cpu().numpy()
        n_nonzero = int(np.count_nonzero(weight))
        self.runs_sparse = (
            weight.size >= _MIN_SIZE and n_nonzero <= _MAX_SHARE * weight.size
        )
        self._store(weight)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Multiply by the weights and add the bias.

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
        if is_traced():
            return nn.functional.linear(X, self._traced_weight(), self.bias)
        rows = X.detach().numpy().reshape(-1, self.in_features)
        columns = np.ascontiguousarray(rows.T)
        out = np.empty((self.out_features, len(rows)), columns.dtype)
        csr = (part.numpy() for part in (self.indptr, self.indices, self.values))
        csr_times_dense(*csr, columns, out)
        out = torch.from_numpy(np.ascontiguousarray(out.T)) + self.bias
        return out.reshape(*X.shape[:-1], self.out_features)

    def _traced_weight(self):
        """Return the dense weights by operations that torch can trace."""
        counts = self.indptr[1:] - self.indptr[:-1]
        rows = torch.repeat_interleave(
            torch.arange(self.out_features), counts, output_size=self.n_nonzero
        )
        weight = self.values.new_zeros(self.out_features, self.in_features)
        return weight.index_put((rows, self.indices.long()), self.values)


def _csr(weight):
    rows, columns = np.nonzero(weight)
    indptr = np.searchsorted(rows, np.arange(len(weight) + 1)).astype(np.int64)
    return indptr, columns.astype(np.int32), weight[rows, columns]
