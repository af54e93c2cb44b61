"""Sparse input of a first layer, and its products with the weights."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse

from sksparse_nn.kernels.sparse_dense import (
    add_transpose_times_dense,
    csr_times_dense,
)

# Share of nonzeros up to which sparse products are faster than dense ones.
_DENSITY = 0.1


@dataclass(frozen=True)
class SparseBatch:
    """Rows of a CSR matrix, in place of a dense tensor.

    Attributes
    ----------
    indptr : ndarray of int64 of shape (n_rows + 1,)
        Where rows begin.

    indices : ndarray of int32 of shape (nnz,)
        Column of each value.

    data : ndarray of shape (nnz,)
        Values, in the float type of the network.

    n_features : int
        Number of columns.
    """

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    n_features: int

    def __len__(self):
        return len(self.indptr) - 1

    def to_dense(self):
        """Return the rows as a dense tensor.

        Returns
        -------
        X : Tensor of shape (n_rows, n_features)
            A copy.
        """
        parts = self.data, self.indices, self.indptr
        shape = len(self), self.n_features
        return torch.from_numpy(sparse.csr_matrix(parts, shape=shape).toarray())


def sparse_rows(X, dtype):
    """Convert rows of a CSR matrix to the form that the first layer takes.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_features)
        Rows.

    dtype : str or dtype
        Float type of the network.

    Returns
    -------
    rows : SparseBatch
        Views where the types allow it.
    """
    return SparseBatch(
        X.indptr.astype(np.int64, copy=False),
        X.indices.astype(np.int32, copy=False),
        X.data.astype(dtype, copy=False),
        X.shape[1],
    )


def is_thin(X):
    """Return whether sparse products with a matrix are faster than dense ones.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Input.

    Returns
    -------
    is_thin : bool
        Whether it is sparse with few nonzeros.
    """
    return sparse.issparse(X) and X.nnz <= _DENSITY * X.shape[0] * X.shape[1]


def write_product(rows, B, out, where=slice(None)):
    """Write the product of sparse rows and a matrix.

    Parameters
    ----------
    rows : SparseBatch
        Left factor.

    B : ndarray of shape (n_features, n_columns)
        Right factor.

    out : ndarray of shape (n_rows, n_columns)
        Overwritten in the rows of `where`.

    where : slice, default=slice(None)
        Which rows to multiply.
    """
    if rows.n_features != B.shape[0]:  # the loop would read beyond the matrix
        raise ValueError(
            f"The first layer must have a weight per feature. Got {rows.n_features} "
            f"features and {B.shape[0]} weights."
        )
    start, stop, _ = where.indices(len(rows))
    indptr = rows.indptr[start : stop + 1]
    csr_times_dense(indptr, rows.indices, rows.data, B, out[start:stop])


def multiply(rows, weight, trainer=None):
    """Return the product of sparse rows and transposed weights, without a gradient.

    Parameters
    ----------
    rows : SparseBatch
        Left factor.

    weight : Tensor of shape (n_columns, n_features)
        Weights of a linear layer.

    trainer : FirstLayerAdam or None, default=None
        Multiplies in place of `write_product`.

    Returns
    -------
    product : Tensor of shape (n_rows, n_columns)
        In the type of the weights.
    """
    by_feature = np.ascontiguousarray(weight.detach().t().numpy())
    out = np.empty((len(rows), weight.shape[0]), by_feature.dtype)
    write = write_product if trainer is None else trainer.write_product
    write(rows, by_feature, out)
    return torch.from_numpy(out)


class SparseProduct(torch.autograd.Function):
    """The product of sparse rows and the transposed weights, with its gradient."""

    @staticmethod
    def forward(ctx, weight, rows, trainer):
        ctx.rows, ctx.trainer, ctx.by_row = rows, trainer, weight.is_contiguous()
        return multiply(rows, weight, trainer)

    @staticmethod
    def backward(ctx, gradient):
        rows = ctx.rows
        gradient = np.ascontiguousarray(gradient.numpy())
        if ctx.trainer is not None:
            ctx.trainer.step(rows, gradient)
            return None, None, None
        out = np.zeros((rows.n_features, gradient.shape[1]), gradient.dtype)
        add_transpose_times_dense(rows.indptr, rows.indices, rows.data, gradient, out)
        out = torch.from_numpy(out).t()
        return out.contiguous() if ctx.by_row else out, None, None
