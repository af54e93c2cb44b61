"""Truncated SVD by block Krylov iteration, for data too wide for products."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn.solvers.svd._base import Factors, SVDSolver
from sksparse_nn.solvers.svd._block_krylov import find_leading_eigenpairs
from sksparse_nn.solvers.svd._blocks import split_blocks
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, are_quick, read_moments
from sksparse_nn.solvers.svd._shifted_rows import ShiftedRows

_OVERSAMPLING = 10

# Mixed rows per wanted triplet, the least factor by which mixing reduces rows, and the
# tolerance and passes of their decomposition.
_MIXED = 16
_FEWER = 4
_ROUGH = 0.3
_ROUGH_PASSES = 6

# Features that are rotated at a time.
_BLOCK = 2**13


@dataclass(frozen=True)
class KrylovSolver(SVDSolver):
    """Block Krylov iteration on the short side of each group's matrix.

    Only the short side is made orthonormal. Passes stop when the residuals of the
    wanted triplets are below `tol`, or below the rounding of the type.

    Attributes
    ----------
    tol : float, default=1e-3
        Relative residual at which iterations stop.

    max_passes : int, default=12
        Passes over the data at which iterations stop anyway.

    random_state : int, RandomState instance or None, default=None
        Seeds the starting block of iterations.

    References
    ----------
    C. Musco, C. Musco, "Randomized Block Krylov Methods for Stronger and Faster
    Approximate Singular Value Decomposition", NeurIPS 2015.
    """

    tol: float = 1e-3
    max_passes: int = 12
    random_state: object = None

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
        return [self._decompose_group(A, n_components, rng) for A in state]

    def tell_gap(self, residual):
        return (
            f"After max_passes={self.max_passes} passes the relative residual of a "
            f"singular triplet is {residual:.2g}, above tol={self.tol:g}. Raise "
            f"max_passes or tol."
        )

    def moments(self, rows, state):
        is_narrow = rows.partition.widest <= MAX_WIDTH
        if is_narrow and are_quick(rows.X.shape, rows.partition):
            return read_moments(rows, self.n_jobs)
        return None

    def _decompose_group(self, A, k, rng):
        k = min(k, *A.shape)
        rounding = 4 * np.finfo(A.dtype).eps * np.sqrt(A.raw_energy)
        pairs = self._iterate(A, k, rng)
        with self.report.passing(f"residuals of {k} components"):
            values, components, residuals = _refine(A, pairs.vectors, k, rounding)
        noise = max(rounding, _bound_rounding(values))
        n_kept = int((values > noise**2).sum())
        values, residuals = values[:n_kept], residuals[:n_kept]
        return Factors(
            components=components[:n_kept],
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

    def _iterate(self, A, k, rng):
        """Search the short side for the wanted space."""
        start = self._start(A, k, rng)

        def apply(B):
            with self.report.passing():
                return A.times_samples(B) if A.is_wide else A.gram_times(B)

        def is_close(values, residuals):
            are_close = _is_close(self.tol, A, values, residuals)
            self.report(f"pass over the data: {are_close[:k].sum()} of {k} components")
            return are_close

        return find_leading_eigenpairs(apply, start, k, is_close, self.max_passes)

    def _start(self, A, k, rng):
        """Return random columns, or leading vectors of mixed rows if rows are many."""
        width = k + _OVERSAMPLING
        start = rng.standard_normal((min(A.shape), width)).astype(A.basis_dtype)
        per_sum = A.shape[0] // (_MIXED * width)
        if A.is_sparse or A.is_wide or per_sum < _FEWER:
            return start
        M, is_close = A.mixed(per_sum, rng), partial(_is_close, _ROUGH, A)

        def apply(B):
            return M.T @ (M @ B.astype(A.dtype, copy=False))

        return find_leading_eigenpairs(
            apply, start, width, is_close, _ROUGH_PASSES
        ).vectors


def _refine(A, vectors, k, shortest):
    """Return the k best triplets in a space, with the residuals of one more pass.

    The components are returned as rows, as transposing the wide side is slow.
    """
    if A.is_wide:
        V = A.samples_to_features(vectors)
        Q = _find_orthonormalising(V, shortest)
    else:
        V, Q = vectors, np.eye(vectors.shape[1])
    product, projected = A.times_features(V)
    values, Y = np.linalg.eigh(Q.T @ projected @ Q)
    values, Y = values[: -k - 1 : -1], Q @ Y[:, : -k - 1 : -1]
    Y = np.ascontiguousarray(Y, V.dtype)
    components, rounding = _rotate(V, Y, A.dtype)
    # The rounding of a component is multiplied by the data too. Most of it lies in the
    # space itself, where the product is known.
    Z, squares = Y + Y @ rounding, np.zeros(len(values))
    for where in split_blocks(len(V), _BLOCK):
        rest = Z.T @ product[where].T
        rest -= values.astype(Z.dtype)[:, None] * components[:, where]
        squares += np.einsum("ij,ij->i", rest, rest)
    return values, components, np.sqrt(squares)


def _find_orthonormalising(V, shortest):
    """Return the matrix that orthonormalises nearly orthogonal, long enough columns.

    Only their products are formed: a QR decomposition of the long side is slow.
    """
    products = (V.T @ V).astype(np.float64)
    norms = np.sqrt(np.diagonal(products))
    inverses = np.divide(1, norms, out=np.zeros_like(norms), where=norms > shortest)
    values, Q = np.linalg.eigh(products * np.outer(inverses, inverses))
    is_independent = values > 1e-3
    return inverses[:, None] * Q[:, is_independent] / np.sqrt(values[is_independent])


def _rotate(V, Y, dtype):
    """Return ``(V Y)'`` rounded to a type, and products with the rounding."""
    components = np.empty((Y.shape[1], len(V)), dtype)
    rounding = np.zeros((Y.shape[1],) * 2, V.dtype)
    for where in split_blocks(len(V), _BLOCK):
        exact = Y.T @ V[where].T
        components[:, where] = exact
        if dtype != V.dtype:
            rounding += exact @ (components[:, where] - exact).T
    return components, rounding


def _bound_rounding(values):
    """Bound the error of a singular value from rounding in `_refine`."""
    largest = values.max(initial=0.0)
    return float(np.sqrt(4 * len(values) * np.finfo(np.float64).eps * largest))


def _is_close(tol, A, values, residuals):
    """Return which eigenpairs have converged, to `tol` or to rounding."""
    largest = values.max(initial=0.0)
    of_type = np.finfo(A.dtype).eps * min(A.shifted_energy, largest)
    floor = 10 * (of_type + np.finfo(np.float64).eps * largest)
    return residuals <= np.maximum(tol * values, floor)
