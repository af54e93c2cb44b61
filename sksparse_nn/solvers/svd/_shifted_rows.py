"""Products with rows, centred or not, that keep the digits of a large offset."""

from functools import cached_property

import numpy as np
from scipy import sparse

from sksparse_nn._picked_rows import PickedRows
from sksparse_nn.solvers.svd._blocks import (
    map_blocks,
    sparse_row_blocks,
    split_blocks,
)
from sksparse_nn.solvers.svd._scale import power_of_two
from sksparse_nn.solvers.svd._sparse_products import SparseProducts

# Numbers that are shifted and multiplied at a time: more exceed the cache.
_BLOCK = 2**22

# Rows that are mixed at a time.
_MIXED = 2**12

# Share of the energy in the mean above which rows are copied and shifted. Below it, the
# mean is subtracted from the products of tall data with columns, not from the products
# of features, so that the rounding of a constant column is not taken for spread.
_MEAN_SHARE = 0.9

# Share of nonzero weight above which the mean of a sparse column is subtracted. The
# zeros of other columns make their spread as large as their offset.
_COVERED = 0.9


class ShiftedRows:
    r"""The matrix ``A = sqrt(w) (Y + 1 a')`` of weighted rows, by parts.

    Here ``Y`` is the data less their mean if they are dense, and the data less the
    means of nearly dense columns if they are sparse; ``a`` is the rest of the offset of
    ``A``, centred or not. Large products use ``Y`` in its own type, the rest is in
    float64: ``A`` is never formed, a sparse ``Y`` stays sparse, and a large offset does
    not cost digits of the spread.

    Everything is in units of the largest number in the data, so that no square
    overflows.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples.

    weight : ndarray of shape (n_samples,) or None
        Positive weights.

    center : bool
        Whether ``A`` is centred.

    n_jobs : int or None
        Threads.

    Attributes
    ----------
    unit : float
        Power of two that converts ``A`` to the units of the data.

    mean : ndarray of shape (n_features,)
        Mean of the rows, in the units of the data.

    is_sparse, is_wide : bool
        Kind of the data.

    energy, raw_energy, shifted_energy : float
        Squared Frobenius norm of ``A``, of the weighted rows without a shift, and of
        ``Y``, which determines the rounding.
    """

    def __init__(self, X, weight, center, n_jobs):
        if isinstance(X, PickedRows):  # products take whole blocks
            X, weight = X.whole, X.scatter_weights(weight)
        self.X, self.n_jobs = X, n_jobs
        self.shape, self.dtype = X.shape, X.dtype
        w = np.ones(X.shape[0]) if weight is None else weight
        self.weight, self.roots = float(w.sum()), np.sqrt(w)
        self.unit = power_of_two(X)
        self._is_weighted = weight is not None
        self.is_sparse, self.is_wide = sparse.issparse(X), X.shape[1] > X.shape[0]
        self._blocks = self._cut()
        self._read(w, center)
        if self.is_sparse:
            self._products = SparseProducts(self._scale_rows(), n_jobs)

    def _cut(self):
        if self.is_sparse:
            return sparse_row_blocks(self.shape[0])
        return split_blocks(self.shape[0], max(_BLOCK // self.shape[1], 1))

    def _scale_rows(self):
        """Return sparse rows in the unit, times the square roots of their weights."""
        X = self.X
        if self.unit != 1:
            X = X * self.dtype.type(1 / self.unit)
        if self._is_weighted:
            X = sparse.csr_array((X.data.copy(), X.indices, X.indptr), shape=X.shape)
            for where in self._blocks:
                indptr = X.indptr[where.start : where.stop + 1]
                roots = np.repeat(self.roots[where], np.diff(indptr))
                X.data[indptr[0] : indptr[-1]] *= roots.astype(self.dtype)
        return X

    def _read(self, w, center):
        """Sum the rows, and find the shifts that the products need."""
        self._shift = np.zeros(self.shape[1], self.dtype)
        self._sums, self.shifted_energy = self._sweep(w)
        offset = self._sums / self.weight
        of_mean = self.weight * (offset @ offset)
        is_far = of_mean > _MEAN_SHARE * self.shifted_energy
        leans = center and not (is_far or self.is_sparse or self.is_wide)
        if self.is_sparse:
            shifts = center and is_far
        else:
            shifts = (center or is_far) and not leans
        if shifts:
            self._shift = self._find_shift(offset, w)
            self._sums, self.shifted_energy = self._sweep(w)
            offset = self._sums / self.weight
        shift = self._shift.astype(np.float64)
        self.mean = (shift + offset) * self.unit
        self._a = -offset if center else shift
        # The part of the offset that gram_times and times_features subtract on the way.
        self._lean = offset if leans else np.zeros_like(offset)
        spread = self.shifted_energy - self.weight * (offset @ offset)
        self.raw_energy = spread + self.weight * ((shift + offset) @ (shift + offset))
        self.energy = max(spread, 0.0) if center else self.raw_energy

    def _find_shift(self, offset, w):
        """Return the shift of the data, and apply it to sparse data."""
        if not self.is_sparse:
            return offset.astype(self.dtype)
        full = np.flatnonzero(self._weigh_values(w) > _COVERED * self.weight)
        values = (self.unit * offset[full]).astype(self.dtype)
        n_rows, n_full = self.shape[0], len(full)
        parts = np.tile(values, n_rows), np.tile(full, n_rows)
        indptr = n_full * np.arange(n_rows + 1)
        self.X = self.X - sparse.csr_array((*parts, indptr), shape=self.shape)
        shift = np.zeros(self.shape[1], self.dtype)
        shift[full] = values / self.dtype.type(self.unit)
        return shift

    def _weigh_values(self, w):
        """Return the weight of the nonzeros in each column of sparse data."""
        coverage = np.zeros(self.shape[1])
        for where in self._blocks:
            Y = self._sparse_rows(where)
            of_values = np.repeat(w[where], np.diff(Y.indptr))
            coverage += np.bincount(Y.indices, of_values, minlength=self.shape[1])
        return coverage

    def _sweep(self, w):
        """Return the weighted sums of the rows and of their squared norms."""
        # A sparse product converts as it goes, a dense one would copy the block.
        w = w if self.is_sparse else w.astype(self.dtype)

        def read(where):
            Y = self._block(where)
            return Y.T @ w[where], self._squares(Y, where)

        sums, energy = np.zeros(self.shape[1]), 0.0
        for part, squares in map_blocks(read, self._blocks, self.n_jobs):
            sums += part
            energy += squares
        return sums, energy

    def _squares(self, Y, where):
        roots = self.roots[where]
        if not self.is_sparse:
            return float(roots**2 @ np.einsum("ij,ij->i", Y, Y))
        values = Y.data.astype(np.float64)
        if self._is_weighted:
            values *= np.repeat(roots, np.diff(Y.indptr))
        return float(values @ values)

    def _map(self, function):
        width = 1 if self.is_sparse else self.shape[1]
        return map_blocks(function, self._blocks, self.n_jobs, width=width)

    def _block(self, where):
        Y = self._sparse_rows(where) if self.is_sparse else self.X[where]
        if self.unit != 1:
            Y = Y * self.dtype.type(1 / self.unit)
        if self.is_sparse:
            return Y
        Y = np.ascontiguousarray(Y)
        return Y - self._shift if self._shift.any() else Y

    def _sparse_rows(self, where):
        """Return some rows as a view, as slicing would copy them."""
        indptr = self.X.indptr[where.start : where.stop + 1]
        values = slice(indptr[0], indptr[-1])
        parts = self.X.data[values], self.X.indices[values], indptr - indptr[0]
        return sparse.csr_array(parts, shape=(len(indptr) - 1, self.shape[1]))

    @property
    def basis_dtype(self):
        """Type of vectors in which a large mean does not cost digits."""
        return np.dtype(np.float64) if self._rest_of_a.any() else self.dtype

    @property
    def _rest_of_a(self):
        return self._a + self._lean

    def gram_times(self, B):
        """Apply ``A'A`` to columns.

        Parameters
        ----------
        B : ndarray of shape (n_features, b)
            Columns.

        Returns
        -------
        product : ndarray of shape (n_features, b)
            In the type of the data if they are sparse without a mean, else in float64.
        """
        if self.is_sparse:
            product = self._products.gram_times(B)
        else:
            product, _ = self._dense_times_features(B, projects=False)
        return self._add_mean_term(product, B)[0]

    def times_features(self, B):
        """Apply ``A'A`` to columns, and project it onto them.

        Parameters
        ----------
        B : ndarray of shape (n_features, b)
            Columns.

        Returns
        -------
        product : ndarray of shape (n_features, b)
            ``A'A B``, as from `gram_times`.

        projected : ndarray of shape (b, b)
            ``B'A'A B``, more accurate than from the product.
        """
        if self.is_sparse:
            product, projected = self._sparse_times_features(B)
        else:
            product, projected = self._dense_times_features(B, projects=True)
        return self._add_mean_term(product, B, projected)

    def _dense_times_features(self, B, *, projects):
        """Return the product and, if requested, its projection."""
        rounded = np.asarray(B, self.dtype, order="C")
        # The mean is subtracted from the short product: shifting rows would copy them.
        leaning = None
        if self._lean.any():
            leaning = (self._lean @ rounded.astype(np.float64)).astype(self.dtype)

        def multiply(where):
            Y = self._block(where)
            T = Y @ rounded
            if leaning is not None:
                T -= leaning
            T = self._weight(T, where)
            right = self._weight(T, where)
            of_right = 0.0 if leaning is None else right.sum(axis=0, dtype=np.float64)
            return Y.T @ right, of_right, _square(T) if projects else 0.0

        product, sums = np.zeros(B.shape), np.zeros(B.shape[1])
        projected = np.zeros((B.shape[1],) * 2)
        for part, of_right, square in self._map(multiply):
            product += part
            sums += of_right
            projected += square
        if leaning is not None:
            product -= np.outer(self._lean, sums)
        return product, projected

    def _sparse_times_features(self, B):
        B = np.asarray(B, self.dtype, order="C")
        T = self._products.times(B)
        projected = sum(_square(T[where]) for where in self._blocks)
        if self.is_wide:
            return self._products.transposed.times(T), projected
        return self._products.gram_times(B), projected

    def _weight(self, T, where):
        if not self._is_weighted:
            return T
        return T * self.roots[where, None].astype(self.dtype)

    def _add_mean_term(self, product, B, projected=None):
        """Add the contribution of the rank-one term of ``A``."""
        a = self._rest_of_a
        if not a.any():
            return product, projected
        left = np.stack([self._sums, a], axis=1)
        of_B = left.T @ B
        middle = np.array([[0, 1], [1, self.weight]]) @ of_B
        product = product + left @ middle
        return product, None if projected is None else projected + of_B.T @ middle

    def times_samples(self, B):
        """Apply ``AA'`` to columns.

        Parameters
        ----------
        B : ndarray of shape (n_samples, b)
            Columns.

        Returns
        -------
        product : ndarray of shape (n_samples, b)
            In the type of the data, or in float64 with a mean.
        """
        if self.is_sparse:
            product = self._products.transposed.gram_times(B)
        else:
            product = self._weight(self._times(self._transpose_times(B)), slice(None))
        if not self._a.any():
            return product
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
            In the type of the data.
        """
        if self.is_sparse:
            product = self._products.transposed.times(B)
        else:
            product = self._transpose_times(B)
        if not self._a.any():
            return product
        return product + np.outer(self._a, self.roots @ B).astype(self.dtype)

    def _times(self, B):
        return np.concatenate(list(self._map(lambda where: self._block(where) @ B)))

    def _transpose_times(self, B):
        B = self._weight(np.asarray(B, self.dtype), slice(None))
        parts = self._map(lambda where: self._block(where).T @ B[where])
        return sum(parts, np.zeros((self.shape[1], B.shape[1]), self.dtype))

    def mixed(self, per_sum, rng):
        """Return sums of neighbouring rows with random signs, of dense data.

        Their products of features equal those of ``A`` in expectation, so they have
        about the same leading right singular vectors; every row takes part.

        Parameters
        ----------
        per_sum : int
            Rows per sum.

        rng : RandomState
            Draws the signs.

        Returns
        -------
        mixed : ndarray of shape (n_sums, n_features)
            In the type of the data.
        """
        signs = rng.choice([-1.0, 1.0], size=self.shape[0]) * self.roots
        n_even = self.shape[0] // per_sum * per_sum
        evens = split_blocks(n_even, max(_MIXED // per_sum, 1) * per_sum)
        sums = [self._mix_block(where, signs, per_sum) for where in evens]
        if n_even < self.shape[0]:
            rest = slice(n_even, self.shape[0])
            sums.append(self._mix_block(rest, signs, self.shape[0] - n_even))
        return np.concatenate(sums)

    def _mix_block(self, where, signs, per_sum):
        Y, signs = self._block(where), signs[where].reshape(-1, 1, per_sum)
        sums = signs.astype(self.dtype) @ Y.reshape(-1, per_sum, Y.shape[1])
        of_a = signs.sum(axis=2) * self._a
        return sums[:, 0] + of_a.astype(self.dtype)


def _square(T):
    """Return the products of the columns of a block, in float64."""
    T = T.astype(np.float64, copy=False)
    return T.T @ T
