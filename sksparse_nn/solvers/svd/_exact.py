"""Truncated SVD by LAPACK on dense matrices in float64: for what is small."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import qr, svd

from sksparse_nn.solvers.svd._base import Factors, SVDSolver
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, moments_of


@dataclass(frozen=True)
class ExactSolver(SVDSolver):
    """Full decomposition of each group's matrix, made dense and float64.

    The only solver that sees directions down to the precision of the data.

    References
    ----------
    T. F. Chan, "An Improved Algorithm for Computing the Singular Value Decomposition",
    ACM Transactions on Mathematical Software 8(1), 1982.
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
        A = _dense(rows.X[:, rows.partition.features(group)])
        weight = np.ones(len(A)) if rows.weight is None else rows.weight
        raw_energy = weight @ (A**2).sum(axis=1)
        mean = np.zeros(A.shape[1])
        if self.center:
            mean = weight @ A / weight.sum()
        A = np.sqrt(weight)[:, None] * (A - mean)
        values, V = _decomposed(A)
        noise = _noise(A, values, raw_energy, np.finfo(rows.X.dtype).eps)
        n_kept = int((values > noise).sum())
        values, V = values[:n_kept], V[:n_kept].astype(rows.X.dtype)
        return Factors(
            components=V,
            singular_values=values,
            residuals=_residuals(A, values, V),
            mean=mean,
            energy=float((A**2).sum()),
            noise=noise,
            weight=float(weight.sum()),
            is_complete=True,
        )


def _dense(X):
    return np.array(X.toarray() if sparse.issparse(X) else X, np.float64, order="C")


def _decomposed(A):
    """Return singular values and right vectors; the left ones are not wanted."""
    n_rows, width = A.shape
    if n_rows > width:
        A = qr(A, mode="r", check_finite=False)[0][:width]
    _, values, V = svd(A, full_matrices=False, check_finite=False)
    return values, V


def _noise(A, values, raw_energy, eps):
    """Bound what rounding the data, and LAPACK, can do to a singular value."""
    of_data = 4 * eps * np.sqrt(raw_energy)
    of_lapack = max(A.shape) * np.finfo(np.float64).eps * values.max(initial=0.0)
    return float(max(of_data, of_lapack))


def _residuals(A, values, V):
    V = V.astype(np.float64)
    product = (A @ V.T).T @ A
    squared = values[:, None] ** 2
    return np.linalg.norm(product / squared - V, axis=1)
