"""Products with rows, centred or not, that keep the digits of a large offset."""

from functools import cached_property, partial

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.svd._blocks import map_blocks, row_blocks, sparse_row_blocks
from sksparse_nn.solvers.svd._partition import Partition
from sksparse_nn.solvers.svd._sparse_products import SparseProducts

# Numbers whose squares and sums of squares stay within any type.
_SAFE = 2.0**20

# Share of the energy that the mean may have before rows are copied to be shifted. About
# the mean they always are, lest the rounding of a constant column pass for spread.
_MEAN_SHARE = 0.9


class ShiftedRows:
    r"""The matrix ``A = sqrt(w) (Y + 1 a')`` of weighted rows, by parts.

    Here ``Y`` is the data less their mean if they are dense, and the data themselves if
    they are sparse; ``a`` is what makes ``A`` centred, or not. Large products are made
    of ``Y`` in its own type, the rest in float64: so ``A`` is never formed, a sparse
    ``Y`` stays sparse, and an offset does not drown the spread.

    All is in units of the largest number in the data, lest a square leaves the type.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples.

    weight : ndarray of shape (n_samples,) or None
        Positive weights.

    center : bool
        Whether ``A`` is about the mean.

    n_jobs : int or None
        Threads.

    Attributes
    ----------
    unit : float
        A power of two: ``A`` times it is in the units of the data.

    mean : ndarray of shape (n_features,)
        Mean of the rows, in the units of the data.

    energy, raw_energy, shifted_energy : float
        Squared Frobenius norm of ``A``, of the weighted rows as they came, and of
        ``Y``, on which rounding depends.
    """

    def __init__(self, X, weight, center, n_jobs):
        self.X, self.n_jobs = X, n_jobs
        self.shape, self.dtype = X.shape, X.dtype
        w = np.ones(X.shape[0]) if weight is None else weight
        self.weight, self.roots = float(w.sum()), np.sqrt(w)
        self.unit = _power_of_two(X)
        self._is_sparse = sparse.issparse(X)
        self._blocks = self._cut()
        if self._is_sparse:
            scaled = X if self.unit == 1 else X * self.dtype.type(1 / self.unit)
            self._products = SparseProducts(scaled, n_jobs)
        self._read(w, center)

    def _cut(self):
        if self._is_sparse:
            return sparse_row_blocks(self.shape[0])
        return row_blocks(
            self.shape[0], Partition(np.zeros(self.shape[1], dtype=np.intp))
        )

    def _read(self, w, center):
        """Sum the rows, and find the shift of each kind that the products need."""
        self._shift = np.zeros(self.shape[1], self.dtype)
        self._sums = self._sum_rows(w)
        offset = self._sums / self.weight
        self.shifted_energy = sum(self._map(self._squares))
        of_mean = self.weight * (offset @ offset)
        is_far = center or of_mean > _MEAN_SHARE * self.shifted_energy
        if is_far and not self._is_sparse:
            self._shift = offset.astype(self.dtype)
            self._sums = self._sum_rows(w)
            offset = self._sums / self.weight
            self.shifted_energy = sum(self._map(self._squares))
        shift = self._shift.astype(np.float64)
        self.mean = (shift + offset) * self.unit
        self._a = -offset if center else shift
        spread = self.shifted_energy - self.weight * (offset @ offset)
        self.raw_energy = spread + self.weight * ((shift + offset) @ (shift + offset))
        self.energy = max(spread, 0.0) if center else self.raw_energy

    def _sum_rows(self, w):
        # A sparse product converts as it goes, a dense one would copy the block.
        w = w if self._is_sparse else w.astype(self.dtype)
        parts = self._map(lambda where: self._block(where).T @ w[where])
        return sum(parts, np.zeros(self.shape[1]))

    def _squares(self, where):
        Y, roots = self._block(where), self.roots[where]
        if self._is_sparse:
            return float((roots**2 @ Y.multiply(Y)).sum())
        return float(roots**2 @ np.einsum("ij,ij->i", Y, Y))

    def _map(self, function):
        return map_blocks(function, self._blocks, self.n_jobs)

    def _block(self, where):
        Y = self.X[where]
        if self.unit != 1:
            Y = Y * self.dtype.type(1 / self.unit)
        if self._is_sparse:
            return Y
        Y = np.ascontiguousarray(Y)
        return Y - self._shift if self._shift.any() else Y

    def times_features(self, B):
        """Apply ``A'A`` to columns, and project it on them.

        Parameters
        ----------
        B : ndarray of shape (n_features, b)
            Columns.

        Returns
        -------
        product : ndarray of shape (n_features, b)
            ``A'A B`` in float64; of sparse data that are wide, in their type.

        projected : ndarray of shape (b, b)
            ``B'A'A B``, to more digits than the product would give it.
        """
        product, projected = self._products_with(np.asarray(B, self.dtype, order="C"))
        if not self._a.any():
            return product, projected
        left = np.stack([self._sums, self._a], axis=1)
        middle = np.array([[0, 1], [1, self.weight]]) @ (left.T @ B)
        return product + left @ middle, projected + (left.T @ B).T @ middle

    def _products_with(self, B):
        if self._is_sparse and self.shape[1] > self.shape[0]:
            T = self.roots[:, None] * self._products.times(B)
            return self._transpose_times(T), T.T @ T
        product, projected = np.zeros(B.shape), np.zeros((B.shape[1],) * 2)
        for part, square in self._map(partial(self._times_features, B)):
            product += part
            projected += square
        return product, projected

    def _times_features(self, B, where):
        roots = self.roots[where, None]
        if self._is_sparse:
            T = roots * self._products.times_block(where, B)
            weighted = (roots * T).astype(self.dtype)
            return self._products.transpose_times_block(where, weighted), T.T @ T
        Y = self._block(where)
        T = roots * (Y @ B)
        return Y.T @ (roots * T).astype(self.dtype), T.T @ T

    def times_samples(self, B):
        """Apply ``AA'`` to columns.

        Parameters
        ----------
        B : ndarray of shape (n_samples, b)
            Columns.

        Returns
        -------
        product : ndarray of shape (n_samples, b)
            In float64.
        """
        product = self.roots[:, None] * self._times(self._transpose_times(B))
        left = np.stack([self._image_of_a, self.roots], axis=1)
        middle = np.array([[0, 1], [1, self._a @ self._a]]) @ (left.T @ B)
        return product + left @ middle

    @cached_property
    def _image_of_a(self):
        a = self._a.astype(self.dtype)
        parts = self._map(lambda where: self._block(where) @ a)
        return self.roots * np.concatenate(list(parts))

    def samples_to_features(self, B):
        """Apply ``A'`` to columns.

        Parameters
        ----------
        B : ndarray of shape (n_samples, b)
            Columns.

        Returns
        -------
        product : ndarray of shape (n_features, b)
            In float64; if the data are sparse, in their type.
        """
        product = self._transpose_times(B)
        long_type = self.dtype if self._is_sparse else np.float64
        return product + np.outer(self._a, self.roots @ B).astype(long_type)

    def _times(self, B):
        if self._is_sparse:
            return self._products.times(B)
        return np.concatenate(list(self._map(lambda where: self._block(where) @ B)))

    def _transpose_times(self, B):
        B = (self.roots[:, None] * B).astype(self.dtype)
        if self._is_sparse:
            return self._products.transposed.times(B)
        parts = self._map(lambda where: self._block(where).T @ B[where])
        return sum(parts, np.zeros((self.shape[1], B.shape[1]), self.dtype))


def _power_of_two(X):
    values = X.data if sparse.issparse(X) else X
    if not values.size:
        return 1.0
    largest = max(abs(float(values.max())), abs(float(values.min())))
    if largest == 0 or 1 / _SAFE <= largest <= _SAFE:
        return 1.0
    exponent = np.floor(np.log2(largest))
    # Within what both a number and its inverse can be in float32.
    return float(2.0 ** np.clip(exponent, -120, 120))
