"""Truncated SVD by LAPACK on dense float64 matrices, for small data."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import svd

from sksparse_nn.solvers.svd._base import Factors, SVDSolver, WeightedRows
from sksparse_nn.solvers.svd._blocks import split_blocks
from sksparse_nn.solvers.svd._compressed_rows import compress_rows
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, Moments, read_moments

# Numbers held dense in float64 at a time: 32 MB.
_BLOCK = 2**22

# Largest energy of a column about zero, or of a mean column, relative to that of a
# column about its mean, with which few rows have the products of many.
_EVEN = 8


@dataclass(frozen=True)
class ExactSolver(SVDSolver):
    """Full decomposition of each group's matrix, made dense and float64.

    The only solver that resolves directions down to the precision of the data. Many
    rows are first compressed into few with the same products.

    References
    ----------
    T. F. Chan, "An Improved Algorithm for Computing the Singular Value Decomposition",
    ACM Transactions on Mathematical Software 8(1), 1982.
    J. Demmel, L. Grigori, M. Hoemmen, J. Langou, "Communication-optimal Parallel and
    Sequential QR and LU Factorizations", SIAM Journal on Scientific Computing 34(1),
    2012.
    """

    def prepare(self, rows):
        return _State(rows)

    def leading(self, state, n_components):
        groups = range(len(state.rows.partition.widths))
        return [self._pass_over_group(state, group) for group in groups]

    def moments(self, rows, state):
        if rows.partition.widest > MAX_WIDTH:
            return None
        return state.moments or read_moments(rows, self.n_jobs)

    def _pass_over_group(self, state, group):
        width = state.rows.partition.widths[group]
        with self.report.passing(f"decomposition of {width} features"):
            return self._decompose_group(state, group)

    def _decompose_group(self, state, group):
        rows = state.rows
        A = _Rows(rows, group, center=self.center)
        few = compress_rows(A)
        if len(few) < len(A) and A.shape[1] == rows.partition.n_features:
            state.moments = _find_moments(A, few, rows, center=self.center)
        _, values, V = svd(few, full_matrices=False, check_finite=False)
        noise = _bound_noise(A, values, np.finfo(rows.X.dtype).eps)
        n_kept = int((values > noise).sum())
        values, V = values[:n_kept], V[:n_kept].astype(rows.X.dtype)
        return Factors(
            components=V,
            singular_values=values,
            residuals=_residuals(A, values, V),
            mean=A.mean if self.center else np.zeros_like(A.mean),
            energy=float((few**2).sum()),
            noise=noise,
            weight=A.weight,
            is_complete=True,
        )


@dataclass
class _State:
    """The data, and their statistics where the decomposition gives them."""

    rows: WeightedRows
    moments: Moments | None = None


class _Rows:
    """The rows of a group about a mean, times the roots of their weights, in blocks."""

    def __init__(self, rows, group, *, center):
        self._X = rows.X[:, rows.partition.features(group)]
        n_rows, width = self.shape = self._X.shape
        self._weights = rows.weight
        self.weight = float(n_rows if rows.weight is None else rows.weight.sum())
        self._blocks = split_blocks(n_rows, max(_BLOCK // width, width))
        self._only = None
        self.raw_energy, sums = 0.0, np.zeros(width)
        for where in self._blocks:
            A = self._to_dense(where)
            weight = np.ones(len(A)) if rows.weight is None else rows.weight[where]
            self.raw_energy += float(weight @ np.einsum("ij,ij->i", A, A))
            sums += weight @ A
        self.mean = sums / self.weight
        self._shifts = self.mean if center else 0.0
        if len(self._blocks) == 1:
            self._only = self._shift(self._blocks[0])

    def __iter__(self):
        if self._only is not None:
            return iter([self._only])
        return map(self._shift, self._blocks)

    def __len__(self):
        return self.shape[0]

    def take_every(self, step):
        """Return every `step`-th row."""
        return self._shift(slice(None, None, step))

    def _to_dense(self, where, *, copy=False):
        X = self._X[where]
        X = X.toarray() if sparse.issparse(X) else X
        return np.array(X, np.float64, order="C", copy=copy or None)

    def _shift(self, where):
        A = self._to_dense(where, copy=True)
        A -= self._shifts
        if self._weights is not None:
            A *= np.sqrt(self._weights[where])[:, None]
        return A


def _bound_noise(rows, values, eps):
    """Bound the error of a singular value from rounding the data and from LAPACK."""
    of_data = 4 * eps * np.sqrt(rows.raw_energy)
    double = np.finfo(np.float64).eps
    of_lapack = max(rows.shape) * double * values.max(initial=0.0)
    return float(max(of_data, of_lapack))


def _residuals(rows, values, V):
    # Of all rows: compressed rows do not show the rounding of long sums.
    V = V.astype(np.float64)
    product = sum((A @ V.T).T @ A for A in rows)
    return np.linalg.norm(product / values[:, None] ** 2 - V, axis=1)


def _find_moments(rows, few, data, *, center):
    """Return the statistics of all rows from few, or None if products lose digits."""
    scatter, offset = few.T @ few, np.sqrt(rows.weight) * rows.mean
    if not center:
        scatter -= np.outer(offset, offset)
    squares = np.diagonal(scatter)
    largest = max((few**2).sum(), len(squares) * (offset**2).max()) / len(squares)
    if not largest <= _EVEN * squares.min():
        return None
    rounding, eps = (float(np.finfo(t).eps) for t in (np.float64, data.X.dtype))
    mean = rows.mean.astype(np.float64)
    return Moments(
        data.partition, rows.weight, mean, scatter.ravel(), _EVEN * rounding, eps
    )
