"""Truncated SVD by LAPACK on dense matrices in float64: for what is small."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import svd

from sksparse_nn.solvers.svd._base import Factors, SVDSolver
from sksparse_nn.solvers.svd._blocks import blocks_of
from sksparse_nn.solvers.svd._compressed_rows import compressed
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, moments_of

# Numbers that are dense in float64 at a time: 32 MB.
_BLOCK = 2**22


@dataclass(frozen=True)
class ExactSolver(SVDSolver):
    """Full decomposition of each group's matrix, made dense and float64.

    The only solver that sees directions down to the precision of the data. Few rows
    with the same products stand for many.

    References
    ----------
    T. F. Chan, "An Improved Algorithm for Computing the Singular Value Decomposition",
    ACM Transactions on Mathematical Software 8(1), 1982.
    J. Demmel, L. Grigori, M. Hoemmen, J. Langou, "Communication-optimal Parallel and
    Sequential QR and LU Factorizations", SIAM Journal on Scientific Computing 34(1),
    2012.
    """

    def prepare(self, rows):
        return rows

    def leading(self, state, n_components):
        groups = range(len(state.partition.widths))
        return [self._all_of_group(state, group) for group in groups]

    def moments(self, rows, state):
        is_narrow = rows.partition.widest <= MAX_WIDTH
        return moments_of(rows, self.n_jobs) if is_narrow else None

    def _all_of_group(self, rows, group):
        A = _Rows(rows, group, center=self.center)
        few = compressed(A)
        _, values, V = svd(few, full_matrices=False, check_finite=False)
        noise = _noise(A, values, np.finfo(rows.X.dtype).eps)
        n_kept = int((values > noise).sum())
        values, V = values[:n_kept], V[:n_kept].astype(rows.X.dtype)
        return Factors(
            components=V,
            singular_values=values,
            residuals=_residuals(A, values, V),
            mean=A.mean,
            energy=float((few**2).sum()),
            noise=noise,
            weight=A.weight,
            is_complete=True,
        )


class _Rows:
    """The rows of a group about a mean, times the roots of their weights, in blocks."""

    def __init__(self, rows, group, *, center):
        self._X = rows.X[:, rows.partition.features(group)]
        n_rows, width = self.shape = self._X.shape
        self._weights = rows.weight
        self.weight = float(n_rows if rows.weight is None else rows.weight.sum())
        self._blocks = blocks_of(n_rows, max(_BLOCK // width, width))
        self._only = None
        self.raw_energy, sums = 0.0, np.zeros(width)
        for where in self._blocks:
            A = self._dense(where)
            weight = np.ones(len(A)) if rows.weight is None else rows.weight[where]
            self.raw_energy += float(weight @ np.einsum("ij,ij->i", A, A))
            sums += weight @ A
        self.mean = sums / self.weight if center else np.zeros(width)
        if len(self._blocks) == 1:
            self._only = self._shifted(self._blocks[0])

    def __iter__(self):
        if self._only is not None:
            return iter([self._only])
        return map(self._shifted, self._blocks)

    def every(self, step):
        """Return one of so many rows."""
        return self._shifted(slice(None, None, step))

    def _dense(self, where, *, copy=False):
        X = self._X[where]
        X = X.toarray() if sparse.issparse(X) else X
        return np.array(X, np.float64, order="C", copy=copy or None)

    def _shifted(self, where):
        A = self._dense(where, copy=True)
        A -= self.mean
        if self._weights is not None:
            A *= np.sqrt(self._weights[where])[:, None]
        return A


def _noise(rows, values, eps):
    """Bound what rounding the data, and LAPACK, can do to a singular value."""
    of_data = 4 * eps * np.sqrt(rows.raw_energy)
    double = np.finfo(np.float64).eps
    of_lapack = max(rows.shape) * double * values.max(initial=0.0)
    return float(max(of_data, of_lapack))


def _residuals(rows, values, V):
    # Of all rows: few do not show the rounding in sums of many.
    V = V.astype(np.float64)
    product = sum((A @ V.T).T @ A for A in rows)
    squared = values[:, None] ** 2
    return np.linalg.norm(product / squared - V, axis=1)
