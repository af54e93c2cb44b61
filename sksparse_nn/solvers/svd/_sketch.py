"""A sketch of all rows so far, for streams too wide for products of features."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from sksparse_nn.solvers._state import (
    State,
    check_alike,
    prefix_names,
    rows_from_arrays,
    rows_to_arrays,
    split_prefixed,
)
from sksparse_nn.solvers.svd._base import Factors, SVDSolver, WeightedRows
from sksparse_nn.solvers.svd._blocks import split_blocks
from sksparse_nn.solvers.svd._partition import Partition
from sksparse_nn.solvers.svd._scale import power_of_two
from sksparse_nn.solvers.svd._sparse_products import SparseProducts

# Rows per block.
_BLOCK = 512

_COLUMNS, _PENDING = "columns_", "pending_"

# Features held in float64 at a time.
_FEATURES = 2**13


@dataclass(frozen=True)
class Sketch(State):
    """Few rows that approximate the centred products of features of all rows.

    The largest singular values of the rows so far and of the next block are kept, with
    their vectors. The dropped ones sum to `lost`, which bounds the error of the
    products of features in operator norm.

    Attributes
    ----------
    partition : Partition
        Groups of features.

    size : int
        Maximum number of rows kept per group.

    weight : float
        Sum of the weights of all rows.

    mean : ndarray of shape (n_features,)
        Their mean, float64, in the order of the partition.

    columns : tuple of ndarray of shape (width, at most size)
        Kept rows of each group, as columns, in units of `unit`, in the type of the
        data.

    unit : float
        A power of two.

    energy, lost : ndarray of shape (n_groups,)
        Squared Frobenius norm about the mean, and the sum of the largest squared
        singular values that were dropped, of each group.

    eps : float
        Relative rounding of the data.

    pending : WeightedRows or None
        Rows that do not fill a block yet, so that the result does not depend on how a
        stream was cut.

    References
    ----------
    D. Ross, J. Lim, R. Lin, M. Yang, "Incremental Learning for Robust Visual Tracking",
    International Journal of Computer Vision 77, 2008.
    E. Liberty, "Simple and Deterministic Matrix Sketching", KDD 2013.
    """

    partition: Partition
    size: int
    weight: float
    mean: np.ndarray
    columns: tuple
    unit: float
    energy: np.ndarray
    lost: np.ndarray
    eps: float
    pending: WeightedRows | None = None

    @property
    def context(self):
        """The partition."""  # numpydoc ignore=RT01
        return self.partition

    @property
    def shape(self):
        """Number of features."""  # numpydoc ignore=RT01
        return self.mean.shape

    def add(self, rows, n_jobs=None):
        """Return the sketch of these and further rows.

        Parameters
        ----------
        rows : WeightedRows
            Of the same partition.

        n_jobs : Ignored
            Present by convention.

        Returns
        -------
        sketch : Sketch
            New.
        """
        rows = rows if self.pending is None else _stack(self.pending, rows)
        n_full = rows.X.shape[0] // _BLOCK * _BLOCK
        eps = float(np.finfo(rows.X.dtype).eps)
        sketch = replace(self, pending=None, eps=max(self.eps, eps))
        for where in split_blocks(n_full, _BLOCK):
            sketch = sketch._take_in(_take(rows, where))
        rest = _take(rows, slice(n_full, None))
        return replace(sketch, pending=_copy(rest) if rest.X.shape[0] else None)

    def whole(self):
        """Return the sketch with the pending rows added."""
        if self.pending is None:
            return self
        return replace(self, pending=None)._take_in(self.pending)

    def merge(self, other):
        """Return the sketch of two sets of rows together.

        Parameters
        ----------
        other : Sketch
            Of the same partition.

        Returns
        -------
        sketch : Sketch
            New; neither operand changes.
        """
        check_alike(self, other)
        self.partition.check_same(other.partition)
        one, other = self.whole(), other.whole()
        one = one._rescale(max(one.unit, other.unit))
        added = [_DenseRows(c.T * (other.unit / one.unit)) for c in other.columns]
        grown = one._grow(added, other.weight, other.mean, other.energy)
        eps = max(one.eps, other.eps)
        return replace(grown, lost=grown.lost + other.lost, eps=eps)

    def _take_in(self, rows):
        X, roots = self.partition.arrange(rows.X), _roots(rows)
        sketch = self._rescale(max(self.unit, power_of_two(X)))
        weight, mean = roots @ roots, _mean(X, roots)
        added = [
            _centre(X[:, columns], roots, mean[columns], sketch.unit)
            for columns in self.partition.columns
        ]
        energy = np.array([rows.energy for rows in added]) * sketch.unit**2
        return sketch._grow(added, weight, mean, energy)

    def _rescale(self, unit):
        if unit == self.unit:
            return self
        columns = tuple(c * c.dtype.type(self.unit / unit) for c in self.columns)
        return replace(self, columns=columns, unit=unit)

    def _grow(self, added, weight, mean, energy):
        """Add centred rows, and the step between the means."""
        total = self.weight + weight
        step = np.sqrt(self.weight * weight / total) * (mean - self.mean)
        groups = zip(self.columns, self.partition.columns, added, strict=True)
        columns, lost = zip(
            *[
                _compress(_append(c, step[w] / self.unit), rows, self.size)
                for c, w, rows in groups
            ],
            strict=True,
        )
        steps = np.array([step[w] @ step[w] for w in self.partition.columns])
        return replace(
            self,
            weight=float(total),
            mean=self.mean + weight / total * (mean - self.mean),
            columns=columns,
            energy=self.energy + energy + steps,
            lost=self.lost + np.array(lost) * self.unit**2,
        )

    def arrays(self):
        """Return all but the partition, in types that any persistence knows."""
        known = dict(vars(self))
        pending, columns = known.pop("pending"), known.pop("columns")
        del known["partition"]
        known |= {f"{_COLUMNS}{group}": kept for group, kept in enumerate(columns)}
        if pending is None:
            return known
        rows = rows_to_arrays(pending.X) | {"weight": pending.weight}
        return known | prefix_names(_PENDING, rows)

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore the sketch of a partition from `arrays`."""
        columns, others = split_prefixed(_COLUMNS, arrays)
        columns = tuple(columns[str(group)] for group in range(len(columns)))
        rows, known = split_prefixed(_PENDING, others)
        pending = None
        if rows:
            pending = WeightedRows(rows_from_arrays(rows), rows["weight"], context)
        return cls(context, columns=columns, pending=pending, **known)


def empty_sketch(partition, size, dtype):
    """Return a sketch of no rows.

    Parameters
    ----------
    partition : Partition
        Groups of features.

    size : int
        Maximum number of rows to keep per group.

    dtype : dtype
        Type of the rows to come.

    Returns
    -------
    sketch : Sketch
        The empty sketch.
    """
    nothing = np.zeros(len(partition.widths))
    return Sketch(
        partition=partition,
        size=size,
        weight=0.0,
        mean=np.zeros(partition.n_features),
        columns=tuple(np.empty((width, 0), dtype) for width in partition.widths),
        unit=0.0,
        energy=nothing,
        lost=nothing,
        eps=0.0,
    )


@dataclass(frozen=True)
class SketchSolver(SVDSolver):
    """Singular triplets of a sketch, with bounds on its loss.

    Attributes
    ----------
    size : int, default=64
        Maximum number of rows per group in a sketch from `prepare`.
    """

    size: int = 64

    def prepare(self, rows):
        return empty_sketch(rows.partition, self.size, rows.X.dtype).add(rows)

    def moments(self, rows, state):
        return state

    def noise(self, state):
        """Return the noise of each group, without a decomposition."""
        sketch = state.whole()
        groups = range(len(sketch.columns))
        return np.sqrt([self._measure_rounding(sketch, g)[1] for g in groups])

    def leading(self, state, n_components):
        sketch = state.whole()
        return [
            self._decompose_group(sketch, group, n_components)
            for group in range(len(sketch.columns))
        ]

    def _decompose_group(self, sketch, group, k):
        where, unit = sketch.partition.columns[group], sketch.unit
        columns, mean = sketch.columns[group], sketch.mean[where]
        energy, rounding = self._measure_rounding(sketch, group)
        if not self.center:
            columns = _append(columns, np.sqrt(sketch.weight) * mean / unit)
            mean = np.zeros_like(mean)
        values, U = _decompose(_multiply_columns(columns))
        values = values * unit**2
        n_kept = min(k, int((values > rounding).sum()))
        values, U = values[:n_kept], U[:, :n_kept] * (unit / np.sqrt(values[:n_kept]))
        largest = values.max(initial=0.0)
        wrong = sketch.lost[group] + rounding + sketch.eps * largest
        return Factors(
            components=(columns @ U.astype(columns.dtype)).T,
            singular_values=np.sqrt(values),
            residuals=wrong / values,
            mean=mean,
            energy=float(energy),
            noise=float(np.sqrt(rounding)),
            weight=sketch.weight,
            is_complete=n_kept < k,
        )

    def _measure_rounding(self, sketch, group):
        energy = sketch.energy[group]
        if not self.center:
            mean = sketch.mean[sketch.partition.columns[group]]
            energy = energy + sketch.weight * (mean @ mean)
        return energy, 4 * sketch.eps * energy


@dataclass(frozen=True)
class _DenseRows:
    """Dense rows to add."""

    Y: np.ndarray

    @property
    def energy(self):
        return float(np.sum(self.Y.astype(np.float64) ** 2))

    @property
    def products(self):
        return _multiply_columns(self.Y.T)

    def times(self, B):
        return self.Y @ B

    def transpose_times(self, U):
        return self.Y.T @ U


@dataclass(frozen=True)
class _SparseRows:
    """Rows ``R (C - 1 m')`` to add, with a sparse ``C``."""

    products_of: SparseProducts
    C: object
    roots: np.ndarray
    mean: np.ndarray

    @property
    def energy(self):
        return float(np.trace(self.products))

    @cached_property
    def products(self):
        C = self.C.astype(np.float64)
        images = C @ self.mean
        plain = (C @ C.T).toarray() - images[:, None] - images
        return np.outer(self.roots, self.roots) * (plain + self.mean @ self.mean)

    def times(self, B):
        image = self.products_of.times(B) - self.mean @ B
        return self.roots[:, None] * image

    def transpose_times(self, U):
        U = self.roots[:, None] * U
        product = self.products_of.transposed.times(U)
        return product - np.outer(self.mean, U.sum(axis=0)).astype(product.dtype)


def _centre(X, roots, mean, unit):
    """Return centred rows of a group, in a unit, times the roots of their weights."""
    scale = X.dtype.type(1 / unit)
    if sparse.issparse(X):
        C = X * scale
        return _SparseRows(SparseProducts(C, None), C, roots, mean / unit)
    Y = (X - mean.astype(X.dtype)) * scale
    return _DenseRows(roots[:, None].astype(X.dtype) * Y)


def _compress(columns, added, size):
    """Return the longest directions of rows, and the next squared length."""
    p, crossed = columns.shape[1], added.times(columns)
    G = np.block([[_multiply_columns(columns), crossed.T], [crossed, added.products]])
    values, U = _decompose(G.astype(np.float64))
    lost = max(values[size], 0.0) if len(values) > size else 0.0
    U = U[:, :size].astype(columns.dtype)
    kept = columns @ U[:p] + added.transpose_times(U[p:])
    return kept.astype(columns.dtype, copy=False), lost


def _multiply_columns(columns):
    """Return the products of columns, in float64."""
    total = np.zeros((columns.shape[1],) * 2)
    for where in split_blocks(len(columns), _FEATURES):
        part = columns[where].astype(np.float64)
        total += part.T @ part
    return total


def _decompose(G):
    values, U = np.linalg.eigh(G)
    return values[::-1], U[:, ::-1]


def _append(columns, column):
    return np.hstack([columns, column[:, None].astype(columns.dtype)])


def _roots(rows):
    n_rows = rows.X.shape[0]
    return np.ones(n_rows) if rows.weight is None else np.sqrt(rows.weight)


def _mean(X, roots):
    weight = roots**2
    return (X.T @ weight) / weight.sum()


def _take(rows, where):
    weight = None if rows.weight is None else rows.weight[where]
    return WeightedRows(rows.X[where], weight, rows.partition)


def _copy(rows):
    """Copy rows that wait, as the user may write over those that came."""
    weight = None if rows.weight is None else rows.weight.copy()
    return WeightedRows(rows.X.copy(), weight, rows.partition)


def _stack(one, other):
    parts = [rows.X[:] for rows in (one, other)]
    if any(map(sparse.issparse, parts)):
        X = sparse.vstack([sparse.csr_array(part) for part in parts])
        X = X.tocsr()
    else:
        X = np.vstack(parts)
    weights = [_roots(rows) ** 2 for rows in (one, other)]
    return WeightedRows(X, np.concatenate(weights), one.partition)
