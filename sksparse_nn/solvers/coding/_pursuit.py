"""Orthogonal pursuits: add one atom at a time, and refit all coefficients."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sksparse_nn.kernels.pursuit import pursue
from sksparse_nn.solvers.coding._adjoint import solve_normal_equations
from sksparse_nn.solvers.coding._base import (
    AbstractCoder,
    Codes,
    bound_rounding,
    choose_n_nonzero,
    compute_least_squares_slopes,
)
from sksparse_nn.solvers.coding._sparsity import Count, Sparsity

# Squared norm that an atom must have outside the span of those chosen before it.
_DEPENDENT = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-10}

# What single precision cannot do, so that rows are coded again in double: magnify its
# rounding by more than the inverse of the one, or tell a smaller squared residual, the
# difference of numbers near one, than the other.
_LEAST_PIVOT, _LEAST_RESIDUAL = 1e-3, 1e-4

# Squared residual that is the rounding of a row in single precision.
_ROUNDING = float(np.finfo(np.float32).eps) ** 2


@dataclass
class OMP(AbstractCoder):
    """Orthogonal matching pursuit: next the atom that correlates best.

    Parameters
    ----------
    n_nonzero_coefs : int or None, default=None
        Most atoms per row; None for a tenth of the features, at least five, or for as
        many as there are features if a tolerance is given.

    residual_tol : float or None, default=None
        Stop when the squared residual is at most this share of the row's.

    abs_residual_tol : float or None, default=None
        Stop when the squared residual is at most this.
    """

    n_nonzero_coefs: int | None = None
    residual_tol: float | None = None
    abs_residual_tol: float | None = None

    needs_gram: ClassVar[bool] = True
    fits_support: ClassVar[bool] = True
    sparsity: ClassVar[Sparsity] = Count("n_nonzero_coefs")
    by_error: ClassVar[bool] = False

    def slopes(self, atoms, chosen, row):
        return compute_least_squares_slopes(atoms, chosen)

    def adjoint(self, atoms, codes, gradients):
        no_ridges = np.zeros(len(atoms.norms))
        return solve_normal_equations(atoms, no_ridges, codes, gradients)

    def encode(self, atoms, rows, start=None):
        return self.encode_path(atoms, rows, [self.count_most(*atoms.shape)])[0]

    def encode_path(self, atoms, rows, values):
        correlations, norms = rows.times(atoms.columns), rows.norms
        limits = self._limits(norms)
        path, pivots = self._pursue(atoms, correlations, norms, values, limits)
        if correlations.dtype == np.float32:
            lost = np.flatnonzero(_loses_digits(path, pivots, limits, norms))
            if len(lost):
                precise = self._pursue_in_double(atoms.in_double, rows, lost, values)
                for codes, again in zip(path, precise, strict=True):
                    codes.overwrite(lost, again)
        return path

    def _pursue_in_double(self, atoms, rows, which, sizes):
        correlations = rows.times_in_double(which, atoms)
        norms = rows.norms[which]
        limits = self._limits(norms)
        return self._pursue(
            atoms, correlations, norms, sizes, limits, rounding=_ROUNDING
        )[0]

    def _pursue(self, atoms, correlations, norms, sizes, limits, *, rounding=0.0):
        """Return codes for each number of atoms, and the smallest pivot of each row."""
        dtype, n_rows = correlations.dtype, len(norms)
        room = min(max(sizes), *atoms.shape)
        counts = np.repeat(np.minimum(sizes, room).astype(np.int32), n_rows)
        counts = counts.reshape(len(sizes), n_rows)
        indices = np.empty((len(sizes), n_rows, room), np.int32)
        values = np.zeros((len(sizes), n_rows, room), dtype)
        scores, pivots = np.empty(correlations.shape[1], dtype), np.empty(n_rows)
        pursue(
            correlations,
            atoms.gram,
            norms,
            limits,
            rounding,
            self.by_error,
            bound_rounding(correlations),
            _DEPENDENT[dtype],
            scores,
            scores.view(np.int32 if dtype == np.float32 else np.int64),
            pivots,
            counts,
            indices,
            values,
        )
        exact = np.zeros(n_rows)
        path = zip(counts, indices, values, strict=True)
        return [Codes(*parts, exact) for parts in path], pivots

    def count_most(self, n_atoms, n_features):
        """Return the most atoms that a row is given."""
        most = self.n_nonzero_coefs
        if most is None:
            bounded = self.residual_tol is None and self.abs_residual_tol is None
            most = choose_n_nonzero(n_features) if bounded else n_features
        return min(most, self.most_atoms(n_atoms, n_features))

    def most_atoms(self, n_atoms, n_features):
        return min(n_atoms, n_features)

    def _limits(self, norms):
        """Return the squared residual of each unit row at which to stop."""
        limits = np.full(len(norms), self.residual_tol or 0.0)
        if self.abs_residual_tol is not None:
            safe = np.where(norms > 0, norms, 1.0)
            limits = np.maximum(limits, self.abs_residual_tol / safe / safe)
        return limits


def _loses_digits(path, pivots, limits, norms):
    """Mark rows that magnify rounding, or stop at a residual that is rounding."""
    counts = path[0].counts
    if len(path) > 1:
        counts = np.max([codes.counts for codes in path], axis=0)
    has_ended = (counts < path[0].indices.shape[1]) & (norms > 0)
    return (pivots < _LEAST_PIVOT) | (has_ended & (limits < _LEAST_RESIDUAL))


@dataclass
class OLS(OMP):
    """Orthogonal least squares: next the atom that lowers the error most.

    Parameters
    ----------
    n_nonzero_coefs : int or None, default=None
        Most atoms per row; None for a tenth of the features, at least five, or for as
        many as there are features if a tolerance is given.

    residual_tol : float or None, default=None
        Stop when the squared residual is at most this share of the row's.

    abs_residual_tol : float or None, default=None
        Stop when the squared residual is at most this.
    """

    by_error: ClassVar[bool] = True
