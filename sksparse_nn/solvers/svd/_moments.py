"""Weight, mean and scatter of rows: statistics that add up exactly."""

from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from scipy import sparse

from sksparse_nn._picked_rows import is_sparse
from sksparse_nn.solvers._state import State, check_alike
from sksparse_nn.solvers.svd._blocks import map_blocks, panels, product_blocks
from sksparse_nn.solvers.svd._dense_products import DenseProducts, Part
from sksparse_nn.solvers.svd._partition import Partition
from sksparse_nn.solvers.svd._sparse_grams import (
    cut_by_values,
    sparse_grams,
    take_means_off_full_columns,
)

# Widest group whose products are kept: 5000 squared numbers of float64 take 200 MB.
MAX_WIDTH = 5000

# Multiply-adds that take about a tenth of a second.
_QUICK = 5e8

# Number of features up to which products in float64 are about as fast as in float32,
# as reading the rows dominates; multiply-adds that take less than a millisecond; and
# multiply-adds that the conversion of a number to float64 costs.
_NARROW = 8
_FEW = 1.5e7
_CONVERTED = 64

# Blocks whose means are kept apart before they are pooled.
_POOL = 64

# Up to this share of nonzeros their pairs are multiplied. Fuller rows are made dense, a
# panel at a time, and multiplied by BLAS, which is several times as fast there.
_THIN_SHARE = 0.1


@dataclass(frozen=True)
class Moments(State):
    """Statistics of rows, which add up exactly.

    Attributes
    ----------
    partition : Partition
        Groups of features; the arrays are arranged by it.

    weight : float
        Sum of the weights.

    mean : ndarray of shape (n_features,)
        Mean of the rows, float64.

    scatter : ndarray of shape (n_products,)
        Products of the deviations from the mean, summed over the rows, of features
        that share a group, float64.

    rounding : float
        Relative rounding of the products.

    eps : float
        Relative rounding of the data.
    """

    partition: Partition
    weight: float
    mean: np.ndarray
    scatter: np.ndarray
    rounding: float
    eps: float

    @property
    def context(self):
        """The partition."""  # numpydoc ignore=RT01
        return self.partition

    @property
    def shape(self):
        """Number of features."""  # numpydoc ignore=RT01
        return self.mean.shape

    def add(self, rows, n_jobs=None):
        """Return the statistics of these and further rows.

        Parameters
        ----------
        rows : WeightedRows
            Of the same partition.

        n_jobs : int or None, default=None
            Threads; None for as many as BLAS takes.

        Returns
        -------
        moments : Moments
            New.
        """
        return read_moments(rows, n_jobs, before=self)

    def merge(self, other):
        """Return the statistics of two sets of rows together.

        Parameters
        ----------
        other : Moments
            Of the same partition.

        Returns
        -------
        moments : Moments
            New; neither operand changes.
        """
        check_alike(self, other)
        self.partition.check_same(other.partition)
        weights = np.array([self.weight, other.weight])
        mean, between = _pool_means(weights, np.stack([self.mean, other.mean]))
        scatter = self.partition.grams(between)
        scatter += self.scatter
        scatter += other.scatter
        rounding = max(self.rounding, other.rounding)
        eps = max(self.eps, other.eps)
        return Moments(self.partition, weights.sum(), mean, scatter, rounding, eps)

    def arrays(self):
        """Return all but the partition, in types that any persistence knows."""
        return {
            name: value for name, value in vars(self).items() if name != "partition"
        }

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore the statistics of a partition from `arrays`."""
        return cls(context, **arrays)


def read_moments(rows, n_jobs=None, before=None, *, is_exact=False):
    """Read the statistics of rows in one pass over blocks.

    Each block is shifted by its own mean before it is multiplied, so that an offset far
    larger than the spread costs no digits. Products are in float64 if that is about as
    fast, otherwise in the type of the rows.

    Parameters
    ----------
    rows : WeightedRows
        The data.

    n_jobs : int or None, default=None
        Threads; None for as many as BLAS takes.

    before : Moments or None, default=None
        Statistics of earlier rows to add to.

    is_exact : bool, default=False
        Whether to compute all products in float64.

    Returns
    -------
    moments : Moments
        The statistics.
    """
    is_exact = is_exact or exact_costs_little(rows.X.shape, rows.partition)
    dtype = np.float64 if is_exact else rows.X.dtype
    blocks, parts = _parts(rows, n_jobs, dtype)
    if before is None and len(blocks) == 1:
        return _finish_single(next(iter(parts)), rows)
    for _ in range(0, len(blocks), _POOL):
        before = _pool(islice(parts, _POOL), rows, before)
    return before


def are_quick(shape, partition):
    """Return whether products of features, or of samples, take little time.

    Parameters
    ----------
    shape : tuple of int
        Samples and features.

    partition : Partition
        Groups of features.

    Returns
    -------
    are_quick : bool
        True up to about a tenth of a second.
    """
    n_rows, n_features = shape
    return n_rows * n_features * min(n_rows, partition.widest) <= _QUICK


def exact_costs_little(shape, partition):
    """Return whether products of float32 rows are about as fast in float64.

    Parameters
    ----------
    shape : tuple of int
        Samples and features.

    partition : Partition
        Groups of features.

    Returns
    -------
    costs_little : bool
        True for narrow rows, and for few products.
    """
    n_rows, n_features = shape
    work = n_rows * n_features * (partition.widest + _CONVERTED)
    return n_features <= _NARROW or work <= _FEW


def check_width(partition):
    """Raise if the products of a group would exceed the memory.

    Parameters
    ----------
    partition : Partition
        Groups of features.

    Raises
    ------
    ValueError
        If the widest group is wider than `MAX_WIDTH`.
    """
    if partition.widest > MAX_WIDTH:
        raise ValueError(
            f"Summing products of features (solver='gram') needs groups of at most "
            f"{MAX_WIDTH} features. Got {partition.widest}; give smaller groups, or "
            f"use solver='krylov'."
        )


def _finish_single(part, rows):
    """Return the statistics of a single block."""
    rest = part.sums / np.sqrt(part.weight)
    scatter = part.products.astype(np.float64, copy=False)
    scatter -= rows.partition.grams(rest[None])
    mean = part.shift + part.sums / part.weight
    eps = float(np.finfo(rows.X.dtype).eps)
    return Moments(rows.partition, part.weight, mean, scatter, part.rounding, eps)


def _pool(parts, rows, before):
    """Add blocks to statistics; one product corrects for all their shifts."""
    partition, nothing = rows.partition, np.zeros(rows.X.shape[1])
    eps, rounding = float(np.finfo(rows.X.dtype).eps), 0.0
    weights, shifts, sums, scatter = [], [], [], None
    if before is not None:
        eps, rounding = max(eps, before.eps), before.rounding
        weights, shifts, sums = [before.weight], [before.mean], [nothing]
        scatter = before.scatter.copy()
    for part in parts:
        scatter = _sum(scatter, part.products)
        weights.append(part.weight)
        shifts.append(part.shift)
        sums.append(part.sums)
        rounding = max(rounding, part.rounding)
    weights, sums = np.array(weights), np.array(sums)
    # A shift is a mean up to rounding, which is corrected here.
    means = np.array(shifts) + sums / weights[:, None]
    mean, between = _pool_means(weights, means)
    rests = sums / np.sqrt(weights)[:, None]
    corrections = np.vstack([between, rests])
    signs = np.repeat([1.0, -1.0], len(weights))
    scatter += partition.grams(corrections, signs)
    return Moments(partition, float(weights.sum()), mean, scatter, rounding, eps)


def _sum(total, products):
    if total is None:
        return products.astype(np.float64, copy=False)
    total += products
    return total


def _pool_means(weights, means):
    """Return the mean of means and rows whose products are the scatter between them."""
    mean = weights @ means / weights.sum()
    return mean, np.sqrt(weights)[:, None] * (means - mean)


def _parts(rows, n_jobs, dtype):
    X, partition = rows.X, rows.partition
    are_sparse = is_sparse(X)
    if are_sparse and X.nnz <= _THIN_SHARE * X.shape[0] * X.shape[1]:
        blocks = cut_by_values(X)
        return blocks, map(partial(_read_sparse, rows, n_jobs), blocks)
    make_blocks = partial(panels, X) if are_sparse else partial(product_blocks, len(X))
    blocks, read = make_blocks(partition), DenseProducts(rows, dtype).read
    return blocks, map_blocks(read, blocks, n_jobs, width=partition.widest)


def _read_sparse(rows, n_jobs, where):
    """Return the products of a sparse block, in float64 as that is as fast."""
    weight = None if rows.weight is None else rows.weight[where]
    X = rows.partition.arrange(rows.X[where])
    X = sparse.csr_array(X, dtype=np.float64, copy=True)
    X.sum_duplicates()
    w = np.ones(X.shape[0]) if weight is None else weight.astype(np.float64)
    X, shift = take_means_off_full_columns(X, w)
    sums = X.T @ w
    X.data *= np.repeat(np.sqrt(w), np.diff(X.indptr))
    products = sparse_grams(X, rows.partition, n_jobs)
    rounding = _rounding(products, sums / np.sqrt(w.sum()), rows.partition)
    return Part(w.sum(), shift, sums, products, rounding)


def _rounding(products, offsets, partition):
    """Return the rounding of products, relative to the products about the means."""
    eps, worst = float(np.finfo(np.float64).eps), 1.0
    for run, block in zip(partition.runs, partition.blocks(products), strict=True):
        squares = np.trace(block, axis1=1, axis2=2)
        of_means = (offsets[run.columns].reshape(run.n_groups, -1) ** 2).sum(axis=1)
        spread = np.maximum(squares - of_means, eps * squares)
        ratios = squares[squares > 0] / spread[squares > 0]
        worst = max(worst, ratios.max(initial=1.0))
    return eps * worst
