"""Codes under an l1 penalty, exact to a duality gap."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from sksparse_nn.kernels.lasso import lasso, lasso_gaps
from sksparse_nn.solvers.coding._adjoint import solve_normal_equations
from sksparse_nn.solvers.coding._base import (
    AbstractCoder,
    Codes,
    allocate_codes,
    compress_codes,
    compute_least_squares_slopes,
)
from sksparse_nn.solvers.coding._optimality import Dual
from sksparse_nn.solvers.coding._sparsity import Level, Sparsity


@dataclass(frozen=True)
class _Precision:
    """How exactly a float type is solved."""

    gap: float  # relative duality gap that a row is held to
    tol: float  # violation of optimality, relative to the penalty
    floor: float  # the same, relative to the norm of the row
    pivot_tol: float  # share of an atom outside the span of others


_PRECISIONS = {
    np.dtype(np.float32): _Precision(1e-4, 1e-5, 5e-7, 1e-5),
    np.dtype(np.float64): _Precision(1e-6, 1e-9, 1e-14, 1e-13),
}


@dataclass
class ElasticNet(AbstractCoder):
    """The minimum of ||x - c D||^2 / 2 + alpha (l1_ratio |c|_1 + (1-l1_ratio) |c|^2/2).

    With a `share`, c are the codes of the atoms of D divided by their norms, and the
    penalty is alpha l1_ratio |c|_1 + share (1 - l1_ratio) |c|^2 / 2: then neither the
    unit of the rows nor that of the atoms changes the support.

    Parameters
    ----------
    alpha : float or None, default=None
        Weight of the penalty, in the units of the data; None leaves it to the
        estimator.

    l1_ratio : float, default=0.5
        Share of the l1 norm in the penalty.

    positive_code : bool, default=False
        Whether codes must not be negative.

    atom_weights : ndarray of shape (n_atoms,) or None, default=None
        Factors of the penalty of each atom; None for ones.

    share : float or None, default=None
        What alpha is of the norm of a row, where penalties are those of unit atoms.
    """

    alpha: float | None = None
    l1_ratio: float = 0.5
    positive_code: bool = False
    atom_weights: np.ndarray | None = None
    share: float | None = None

    needs_gram: ClassVar[bool] = True
    fits_support: ClassVar[bool] = True
    penalised: ClassVar[bool] = True
    warm_starts: ClassVar[bool] = True
    sparsity: ClassVar[Sparsity] = Level("alpha")

    @property
    def signed(self):
        """Whether codes can be below zero."""
        return not self.positive_code

    def encode(self, atoms, rows, start=None):
        correlations = rows.times(atoms.columns)
        codes = self._allocate_zero_codes(atoms, correlations)
        if start is not None:
            codes.put(*start)
        self._solve(atoms, correlations, rows.norms, codes)
        largest = self.largest_gap(codes.values.dtype)
        if self.alpha > 0 and codes.gaps.max(initial=0) <= largest:
            return codes
        wide = codes.gaps > largest
        # Without a penalty no gap says how far the codes are from the optimum.
        failed = np.flatnonzero(wide | (self.alpha == 0))
        if len(failed) and codes.values.dtype == np.float32:
            self._encode_again(atoms.in_double, rows, codes, failed)
        wide = np.flatnonzero(codes.gaps > largest)
        if len(wide):
            self._measure_again(atoms, rows, codes, wide)
        return codes

    def slopes(self, atoms, chosen, row):
        ridges = self.penalties(atoms.norms)[1]
        if not ridges.any():
            return compute_least_squares_slopes(atoms, chosen)
        D = atoms.unit[chosen]
        gram = D @ D.T + np.diag(ridges[chosen])
        return atoms.in_terms_of_given(chosen, np.linalg.solve(gram, D))

    def adjoint(self, atoms, codes, gradients):
        ridges = np.zeros(len(atoms.norms))  # those of a lasso
        if self._weights[1]:
            ridges = self.penalties(atoms.norms)[1]
        return solve_normal_equations(atoms, ridges, codes, gradients)

    def falls_with_alpha(self, codes):
        values = np.where(codes.used(), codes.values, 0).astype(np.float64)
        falls = self.l1_ratio * np.sign(values)
        if self.share is None:
            falls += (1 - self.l1_ratio) * values
        if self.atom_weights is not None:
            falls *= self.atom_weights[np.where(codes.used(), codes.indices, 0)]
        return falls

    def encode_path(self, atoms, rows, values):
        """Code for each alpha from the largest down, each from the codes before."""
        path, codes = [None] * len(values), None
        for place in np.argsort(values)[::-1]:
            start = None if codes is None else compress_codes(codes)
            coder = replace(self, alpha=values[place])
            path[place] = codes = coder.encode(atoms, rows, start)
        return path

    def _allocate_zero_codes(self, atoms, correlations):
        n_atoms, n_features = atoms.shape
        room = n_atoms if self.l1_ratio < 1 else min(n_atoms, n_features)
        codes = allocate_codes(correlations, room)
        codes.counts[:] = 0
        return codes

    def _solve(self, atoms, correlations, norms, codes):
        """Optimize codes, starting from their current values."""
        precision = _PRECISIONS[correlations.dtype]
        lasso(
            correlations,
            atoms.gram,
            norms,
            *self.penalties(atoms.norms),
            self.positive_code,
            precision.tol,
            precision.floor,
            precision.pivot_tol,
            *_allocate_scratch(correlations),
            codes.gaps,
            *codes.entries,
        )

    def _encode_again(self, atoms, rows, codes, failed):
        """Continue in double precision; gaps become those of the rounded codes."""
        correlations = rows.times_in_double(failed, atoms)
        norms = rows.norms[failed]
        again = Codes(*(part[failed] for part in codes))
        values = np.where(again.used(), again.values, 0)  # the rest is not initialised
        again = again._replace(values=values.astype(np.float64))
        self._solve(atoms, correlations, norms, again)
        rounded = np.where(again.used(), again.values, 0).astype(np.float32)
        safe = np.where(again.used(), again.indices, 0)
        lasso_gaps(
            correlations,
            atoms.gram,
            norms,
            *self.penalties(atoms.norms),
            self.positive_code,
            *_allocate_scratch(correlations),
            again.gaps,
            again.counts,
            *again.entries[1:],
            _round_as_returned(rounded, safe, atoms.norms),
        )
        codes.overwrite(failed, again._replace(values=rounded))

    def _measure_again(self, atoms, rows, codes, wide):
        """Take smaller gaps where they can be proved without the rounded residual."""
        if codes.values.dtype == np.float32:
            atoms = atoms.in_double
        linear, quadratic = self.penalties(atoms.norms)
        for i in wide[np.isfinite(rows.norms[wide])]:
            (row,) = rows.pick([i])
            support = codes.indices[i, : codes.counts[i]]
            values = codes.values[i, : codes.counts[i]]
            code = _round_as_returned(values, support, atoms.norms) / rows.norms[i]
            levels = linear / rows.norms[i]
            dual = Dual(atoms.columns.T, levels, quadratic, self.positive_code)
            codes.gaps[i] = min(codes.gaps[i], dual.gap(row, support, code))

    def largest_gap(self, dtype):
        # Without a penalty the dual has no scale to be measured by.
        return _PRECISIONS[np.dtype(dtype)].gap if self.alpha > 0 else np.inf

    def penalty(self, codes):
        used, n_rows = codes.used(), len(codes.counts)
        values = codes.values[used].astype(np.float64)
        weights = 1.0
        if self.atom_weights is not None:
            weights = self.atom_weights[codes.indices[used]]
        rows = np.repeat(np.arange(n_rows), codes.counts)
        absolute = np.bincount(rows, weights * np.abs(values), n_rows)
        squared = np.bincount(rows, weights * values**2, n_rows)
        linear, quadratic = self._weights
        return linear * absolute + 0.5 * quadratic * squared

    @property
    def _weights(self):
        """The linear and the quadratic penalty of an atom of unit norm."""
        share = self.alpha if self.share is None else self.share
        return self.alpha * self.l1_ratio, share * (1 - self.l1_ratio)

    def penalties(self, atom_norms):
        """Return the linear and the quadratic penalty of each unit atom.

        Parameters
        ----------
        atom_norms : ndarray of shape (n_atoms,)
            Norms of the atoms before they were made unit ones.

        Returns
        -------
        linear, quadratic : ndarray of shape (n_atoms,)
            Both those of codes of the given atoms, without a `share`.
        """
        norms = np.where(atom_norms > 0, atom_norms, 1)
        if self.share is not None:
            norms = np.ones_like(norms)
        weights = 1.0 if self.atom_weights is None else self.atom_weights
        linear, quadratic = self._weights
        return weights * linear / norms, weights * quadratic / norms**2

    def levels(self, atoms):
        return self.penalties(atoms.norms)[0]


def _round_as_returned(values, support, atom_norms):
    """Return values of unit atoms as rounding in the scale of the atoms leaves them."""
    norms = np.where(atom_norms > 0, atom_norms, 1)[support]
    return (values / norms).astype(values.dtype) * norms


def _allocate_scratch(correlations):
    """Return room for scores, and the same memory read as integers."""
    scores = np.empty(correlations.shape[1], correlations.dtype)
    return scores, scores.view(np.int32 if scores.itemsize == 4 else np.int64)


@dataclass
class Lasso(ElasticNet):
    """The minimum of ||x - c D||^2 / 2 + alpha |c|_1.

    Parameters
    ----------
    alpha : float or None, default=None
        Weight of the penalty, in the units of the data; None leaves it to the
        estimator.

    positive_code : bool, default=False
        Whether codes must not be negative.

    atom_weights : ndarray of shape (n_atoms,) or None, default=None
        Factors of the penalty of each atom; None for ones.

    share : float or None, default=None
        What alpha is of the norm of a row, where the penalty is that of unit atoms.
    """

    l1_ratio: ClassVar[float] = 1.0
