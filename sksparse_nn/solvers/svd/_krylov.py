"""Truncated SVD by block Krylov iteration: for what is too wide to square."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn.solvers.svd._base import Factors, SVDSolver
from sksparse_nn.solvers.svd._block_krylov import leading_eigenpairs
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, are_quick, moments_of
from sksparse_nn.solvers.svd._shifted_rows import ShiftedRows

_OVERSAMPLING = 10


@dataclass(frozen=True)
class KrylovSolver(SVDSolver):
    """Block Krylov iteration on the short side of each group's matrix.

    Only the short side is made orthonormal. Passes stop when the residuals of the
    wanted triplets come below `tol`, or below the rounding of the type.

    References
    ----------
    C. Musco, C. Musco, "Randomized Block Krylov Methods for Stronger and Faster
    Approximate Singular Value Decomposition", NeurIPS 2015.
    """

    finds_all: ClassVar[bool] = False

    def prepare(self, rows):
        groups = range(len(rows.partition.widths))
        return [self._prepare_group(rows, group) for group in groups]

    def _prepare_group(self, rows, group):
        is_whole = len(rows.partition.widths) == 1
        X = rows.X if is_whole else rows.X[:, rows.partition.features(group)]
        return ShiftedRows(X, rows.weight, self.center, self.n_jobs)

    def leading(self, state, n_components):
        rng = check_random_state(self.random_state)
        return [self._leading_of_group(A, n_components, rng) for A in state]

    def moments(self, rows, state):
        is_narrow = rows.partition.widest <= MAX_WIDTH
        if is_narrow and are_quick(rows.X.shape, rows.partition):
            return moments_of(rows, self.n_jobs)
        return None

    def _leading_of_group(self, A, k, rng):
        k = min(k, *A.shape)
        rounding = 4 * np.finfo(A.dtype).eps * np.sqrt(A.raw_energy)
        V, pairs = self._iterated(A, k, rng, rounding)
        values, V, residuals = _refined(A, V)
        noise = max(rounding, _rounding_of_products(values))
        n_kept = int((values > noise**2).sum())
        values, residuals = values[:n_kept], residuals[:n_kept]
        return Factors(
            components=V[:, :n_kept].T,
            singular_values=A.unit * np.sqrt(values),
            residuals=residuals / values,
            mean=A.mean if self.center else np.zeros(A.shape[1]),
            energy=A.unit**2 * A.energy,
            noise=A.unit * noise,
            weight=A.weight,
            is_complete=n_kept < k or k == min(A.shape),
            n_passes=pairs.n_passes + 1,
            is_converged=pairs.is_good,
        )

    def _iterated(self, A, k, rng, shortest):
        """Return features that span the wanted space, and what it took to find them."""
        is_close = partial(_is_close, self.tol, A)
        is_tall = A.shape[0] >= A.shape[1]
        apply = (lambda B: A.times_features(B)[0]) if is_tall else A.times_samples
        start = rng.standard_normal((min(A.shape), k + _OVERSAMPLING))
        pairs = leading_eigenpairs(apply, start, k, is_close, self.max_passes)
        V = pairs.vectors
        if not is_tall:
            V = _orthonormal(A.samples_to_features(V), shortest)
        return V, pairs


def _orthonormal(V, shortest):
    """Return an orthonormal basis of nearly orthogonal columns that are long enough.

    Their products are all that is formed: a QR decomposition of the long side is slow.
    """
    norms = np.linalg.norm(V, axis=0)
    is_long = norms > shortest
    V = V[:, is_long] / norms[is_long]
    values, Q = np.linalg.eigh((V.T @ V).astype(np.float64))
    is_independent = values > 1e-3
    Q = Q[:, is_independent] / np.sqrt(values[is_independent])
    return V @ Q.astype(V.dtype)


def _refined(A, V):
    """Return the best triplets in a space, with the residuals of one more pass."""
    product, projected = A.times_features(V)
    values, Y = np.linalg.eigh(projected)
    values, Y = values[::-1], Y[:, ::-1]
    image, exact = product @ Y, V @ Y
    V = exact.astype(A.dtype)
    # What rounding adds to a component is multiplied by the data too: most of it in
    # the space itself, where that is known.
    image += image @ (exact.T @ (V - exact))
    return values, V, np.linalg.norm(image - V * values, axis=0)


def _rounding_of_products(values):
    """Bound the rounding of `_refined` in a singular value."""
    largest = values.max(initial=0.0)
    return float(np.sqrt(4 * len(values) * np.finfo(np.float64).eps * largest))


def _is_close(tol, A, values, residuals):
    """Tell which eigenpairs are good enough, or as good as rounding lets them be."""
    largest = values.max(initial=0.0)
    of_type = np.finfo(A.dtype).eps * min(A.shifted_energy, largest)
    floor = 10 * (of_type + np.finfo(np.float64).eps * largest)
    return residuals <= np.maximum(tol * values, floor)
