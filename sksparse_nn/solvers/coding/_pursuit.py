"""Orthogonal pursuits: one atom at a time, all coefficients fitted anew each time."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sksparse_nn.kernels.pursuit import pursue
from sksparse_nn.solvers.coding._base import AbstractCoder, Codes

# Squared norm that an atom must have outside the span of those chosen before it.
_DEPENDENT = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-10}


@dataclass
class OMP(AbstractCoder):
    """Orthogonal matching pursuit: next the atom that correlates best.

    Parameters
    ----------
    n_nonzero_coefs : int or None, default=None
        Atoms a row at most; None for a tenth of the features, or as many as there are
        where a tolerance is given.

    tol : float or None, default=None
        Stop when the squared residual is at most this share of the row's.

    abs_tol : float or None, default=None
        Stop when the squared residual is at most this.
    """

    n_nonzero_coefs: int | None = None
    tol: float | None = None
    abs_tol: float | None = None

    needs_gram: ClassVar[bool] = True
    path_parameter: ClassVar[str] = "n_nonzero_coefs"
    by_error: ClassVar[bool] = False

    def encode_correlations(self, atoms, correlations, norms):
        most = self._most(*atoms.unit.shape)
        return self._pursue(atoms, correlations, norms, [most])[0]

    def encode_path(self, atoms, rows, values):
        return self._pursue(atoms, rows.times(atoms.columns), rows.norms, values)

    def _pursue(self, atoms, correlations, norms, sizes):
        """Return codes of at most so many atoms, for each of some sizes."""
        dtype, n_rows = correlations.dtype, len(norms)
        room = min(max(sizes), *atoms.unit.shape)
        counts = np.repeat(np.minimum(sizes, room).astype(np.int32), n_rows)
        counts = counts.reshape(len(sizes), n_rows)
        indices = np.empty((len(sizes), n_rows, room), np.int32)
        values = np.empty((len(sizes), n_rows, room), dtype)
        scores = np.empty(correlations.shape[1], dtype)
        pursue(
            correlations,
            atoms.gram,
            norms,
            self._limits(norms),
            self.by_error,
            32 * float(np.finfo(dtype).eps),
            _DEPENDENT[dtype],
            scores,
            scores.view(np.int32 if dtype == np.float32 else np.int64),
            counts,
            indices,
            values,
        )
        exact = np.zeros(n_rows)
        return [
            Codes(*parts, exact) for parts in zip(counts, indices, values, strict=True)
        ]

    def _most(self, n_atoms, n_features):
        most = self.n_nonzero_coefs
        if most is None:
            bounded = self.tol is None and self.abs_tol is None
            most = max(1, n_features // 10) if bounded else n_features
        return min(most, n_atoms, n_features)

    def _limits(self, norms):
        """Return the squared residual of each unit row at which to stop."""
        limits = np.full(len(norms), self.tol or 0.0)
        if self.abs_tol is not None:
            safe = np.where(norms > 0, norms, 1.0)
            limits = np.maximum(limits, self.abs_tol / safe / safe)
        return limits


@dataclass
class OLS(OMP):
    """Orthogonal least squares: next the atom that lowers the error most.

    Parameters
    ----------
    n_nonzero_coefs : int or None, default=None
        Atoms a row at most; None for a tenth of the features, or as many as there are
        where a tolerance is given.

    tol : float or None, default=None
        Stop when the squared residual is at most this share of the row's.

    abs_tol : float or None, default=None
        Stop when the squared residual is at most this.
    """

    by_error: ClassVar[bool] = True
