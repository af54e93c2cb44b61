"""Blocks of rows, dense or sparse, behind one set of operations.

A block owns its memory, is contiguous and writable, and has 32-bit indices whatever the
input looked like: so each kernel is compiled once per float type, and results do not
depend on how the data lie in memory.
"""

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.codes import write_weighted_codes
from sksparse_nn.kernels.rows import normalise_csr_rows, normalise_rows
from sksparse_nn.kernels.sparse_dense import csr_times_dense
from sksparse_nn.kernels.statistics import (
    add_csr_row_products,
    add_row_products,
    squared_csr_errors,
    squared_errors,
)

BLOCK_SIZE = 512

# Of rows in double precision that are dense at a time.
_DENSE_NUMBERS = 2**20

# Norms from this to its inverse have squares that can be summed.
_LEAST_NORM = 1e-140

# A matrix product does so many multiply-adds in the time of one at a random place.
_DENSE_ENOUGH = 32

# Whose products are added at a time, so that no array is as large as all of them.
_ATOMS_AT_A_TIME = 16


class DenseRows:
    """Rows of a dense matrix, divided by their norms.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Copied.

    Attributes
    ----------
    unit : ndarray of shape (n_rows, n_features)
        Rows of norm one, or zero.

    norms : ndarray of shape (n_rows,)
        Their norms before, in float64.
    """

    def __init__(self, X):
        self._X = X
        self.unit = np.array(X, order="C")
        self.norms = np.empty(len(self.unit))
        normalise_rows(self.unit, self.norms)

    def times(self, B):
        """Return the product of the unit rows and a C-contiguous matrix."""
        return self.unit @ B

    def pick(self, which):
        """Return some unit rows as an ndarray, in float64."""
        return _scale(self._X[which], self.norms[which])

    def product_in_double(self, which, atoms):
        """Return the products of a few unit rows and of atoms, both in float64."""
        return self.pick(which) @ atoms.columns

    def times_in_double(self, which, atoms):
        """Return the products of some unit rows and of atoms, both in float64."""
        return _times_in_double(self, which, atoms)

    def add_products(self, codes, weights, B):
        """Add the weighted outer products of codes and rows to a matrix."""
        weights = weights * self.norms
        if codes.counts.sum() * _DENSE_ENOUGH < len(B) * len(weights):
            add_row_products(*codes.entries, weights, self.unit, B)
        else:
            dense = np.zeros((len(weights), len(B)), self.unit.dtype)
            peak = write_weighted_codes(*codes.entries, weights, dense)
            products = dense.T @ self.unit
            for part in block_slices(len(B), _ATOMS_AT_A_TIME):
                B[part] += np.float64(peak) * products[part]

    def errors(self, codes, atoms):
        """Return the squared norm of the residual of each row."""
        errors = np.empty(len(self.norms))
        squared_errors(*codes.entries, self.unit, self.norms, atoms.unit, errors)
        return errors


class SparseRows:
    """Rows of a CSR matrix, divided by their norms.

    Parameters
    ----------
    X : CSR matrix of shape (n_rows, n_features)
        Copied.

    Attributes
    ----------
    indptr, indices, data : ndarray
        The CSR arrays of the rows of norm one, or zero.

    norms : ndarray of shape (n_rows,)
        Their norms before, in float64.
    """

    def __init__(self, X):
        self._X = X
        self.indptr = X.indptr.astype(np.int32)
        self.indices = X.indices.astype(np.int32)
        self.data = np.array(X.data)
        self.shape = X.shape
        self.norms = np.empty(X.shape[0])
        normalise_csr_rows(self.indptr, self.data, self.norms)

    def times(self, B):
        """Return the product of the unit rows and a C-contiguous matrix."""
        out = np.empty((self.shape[0], B.shape[1]), B.dtype)
        csr_times_dense(self.indptr, self.indices, self.data, B, out)
        return out

    def pick(self, which):
        """Return some unit rows as an ndarray, in float64."""
        return _scale(self._X[which].toarray(), self.norms[which])

    def times_in_double(self, which, atoms):
        """Return the products of some unit rows and of atoms, both in float64."""
        return _times_in_double(self, which, atoms)

    def product_in_double(self, which, atoms):
        """Return the products of a few unit rows and of atoms, both in float64."""
        if atoms.are_few:
            return self.pick(which) @ atoms.columns
        X = self._X[which]
        features = np.unique(X.indices)
        rows = _scale(X[:, features].toarray(), self.norms[which])
        return rows @ atoms.columns_of(features)

    def add_products(self, codes, weights, B):
        """Add the weighted outer products of codes and rows to a matrix."""
        weights = weights * self.norms
        add_csr_row_products(*codes.entries, weights, *self._csr(), B)

    def errors(self, codes, atoms):
        """Return the squared norm of the residual of each row."""
        errors = np.empty(len(self.norms))
        squared_csr_errors(
            *codes.entries, *self._csr(), self.norms, atoms.columns, atoms.gram, errors
        )
        return errors

    def _csr(self):
        return self.indptr, self.indices, self.data


def _scale(X, norms):
    X = X.astype(np.float64)
    X /= np.where(norms > 0, norms, 1)[:, None]
    return X


def _times_in_double(rows, which, atoms):
    """Multiply as many rows at a time as are small when they are dense."""
    size = max(1, _DENSE_NUMBERS // max(atoms.shape[1], 1))
    parts = [which[start : start + size] for start in range(0, len(which), size)]
    return np.vstack([rows.product_in_double(part, atoms) for part in parts])


def read_rows(X, which):
    """Copy some rows of a matrix into a block.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Of a float type.

    which : slice or ndarray of int
        The rows.

    Returns
    -------
    rows : DenseRows or SparseRows
        Of unit norm.
    """
    rows = X[which]
    return SparseRows(rows) if sparse.issparse(rows) else DenseRows(rows)


def block_slices(n_rows, size=BLOCK_SIZE):
    """Cut rows into consecutive blocks.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    size : int, default=512
        Rows per block; the last may have fewer.

    Returns
    -------
    slices : list of slice
        In order.
    """
    return [slice(i, min(i + size, n_rows)) for i in range(0, n_rows, size)]


def root_mean_square(X, weights):
    """Return the root of the weighted mean of the squared norms of the rows.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Their weights.

    Returns
    -------
    root : float
        In the units of `X`.
    """
    norms = np.empty(X.shape[0])
    for which in block_slices(X.shape[0]):
        norms[which] = read_rows(X, which).norms
    largest = norms.max(initial=0)
    have_squares = largest == 0 or _LEAST_NORM <= largest <= 1 / _LEAST_NORM
    unit = 1.0 if have_squares else largest
    slices = block_slices(X.shape[0])
    total = sum(weights[which] @ (norms[which] / unit) ** 2 for which in slices)
    return unit * np.sqrt(total / weights.sum())
