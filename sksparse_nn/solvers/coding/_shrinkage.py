"""Coders that read the correlations once.

Their codes of correlated atoms add up to more than the row, so a dictionary is learnt
with the codes of a pursuit instead.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sksparse_nn.kernels import shrinkage
from sksparse_nn.solvers.coding._adjoint import pick_on_supports
from sksparse_nn.solvers.coding._base import (
    AbstractCoder,
    allocate_codes,
    bound_rounding,
    choose_n_nonzero,
)
from sksparse_nn.solvers.coding._pursuit import OMP
from sksparse_nn.solvers.coding._sparsity import Count, Level, Sparsity

# Norms whose squares float64 holds.
_LARGEST = 1e150

# Share of the atoms' energy that their mean may have in single precision.
_OFFSET_SHARE = 0.9


class _CorrelationCoder(AbstractCoder):
    approximates = False

    def learning_coder(self):
        return OMP(n_nonzero_coefs=1)

    def work(self, n_atoms, n_features, n_nonzero):
        return n_atoms * n_features

    def adjoint(self, atoms, codes, gradients):
        return pick_on_supports(codes, gradients)

    def encode(self, atoms, rows, start=None):
        return self.encode_correlations(atoms, rows.times(atoms.columns), rows.norms)

    @abstractmethod
    def encode_correlations(self, atoms, correlations, norms):
        """Code rows given by their products with the atoms.

        Parameters
        ----------
        atoms : Atoms
            From `prepare`.

        correlations : ndarray of shape (n_rows, n_atoms)
            Products of unit rows and unit atoms; may be overwritten.

        norms : ndarray of shape (n_rows,)
            Norms of the rows.

        Returns
        -------
        codes : Codes
            Scaled by the norms.
        """


@dataclass
class HardThreshold(_CorrelationCoder):
    """Correlations above a level, as they are.

    Parameters
    ----------
    alpha : float or None, default=None
        The level, in the units of the data; None leaves it to the estimator.

    atom_weights : ndarray of shape (n_atoms,) or None, default=None
        Factors of the level of each atom; None for ones.
    """

    alpha: float | None = None
    atom_weights: np.ndarray | None = None

    sparsity: ClassVar[Sparsity] = Level("alpha")

    def levels(self, atoms):
        return _levels(self, len(atoms.norms))

    def slopes(self, atoms, chosen, row):
        return atoms.in_terms_of_given(chosen, atoms.unit[chosen])

    def encode_correlations(self, atoms, correlations, norms):
        codes = allocate_codes(correlations, correlations.shape[1])
        levels, floor = self.levels(atoms), bound_rounding(correlations)
        shrinkage.hard_threshold(correlations, norms, levels, floor, *codes.entries)
        return codes


@dataclass
class SoftThreshold(_CorrelationCoder):
    """Correlations shrunk towards zero by a level.

    Parameters
    ----------
    alpha : float or None, default=None
        The level, in the units of the data; None leaves it to the estimator.

    positive_code : bool, default=False
        Whether negative correlations become zero.

    atom_weights : ndarray of shape (n_atoms,) or None, default=None
        Factors of the level of each atom; None for ones.
    """

    alpha: float | None = None
    positive_code: bool = False
    atom_weights: np.ndarray | None = None

    sparsity: ClassVar[Sparsity] = Level("alpha")

    @property
    def signed(self):
        """Whether codes can be below zero."""
        return not self.positive_code

    def levels(self, atoms):
        return _levels(self, len(atoms.norms))

    def slopes(self, atoms, chosen, row):
        return atoms.in_terms_of_given(chosen, atoms.unit[chosen])

    def falls_with_alpha(self, codes):
        falls = np.sign(np.where(codes.used(), codes.values, 0)).astype(np.float64)
        if self.atom_weights is not None:
            falls *= self.atom_weights[np.where(codes.used(), codes.indices, 0)]
        return falls

    def encode_correlations(self, atoms, correlations, norms):
        codes = allocate_codes(correlations, correlations.shape[1])
        levels, floor = self.levels(atoms), bound_rounding(correlations)
        shrinkage.soft_threshold(
            correlations, norms, levels, floor, self.positive_code, *codes.entries
        )
        return codes


def _levels(coder, n_atoms):
    weights = coder.atom_weights
    return coder.alpha * (np.ones(n_atoms) if weights is None else weights)


@dataclass
class TopK(_CorrelationCoder):
    """The largest correlations, as they are.

    Parameters
    ----------
    n_nonzero_coefs : int or None, default=None
        Most atoms per row; None for a tenth of the features, at least five.
    """

    n_nonzero_coefs: int | None = None

    sparsity: ClassVar[Sparsity] = Count("n_nonzero_coefs")

    def learning_coder(self):
        return OMP(n_nonzero_coefs=self.n_nonzero_coefs)

    def slopes(self, atoms, chosen, row):
        return atoms.in_terms_of_given(chosen, atoms.unit[chosen])

    def encode_correlations(self, atoms, correlations, norms):
        codes = allocate_codes(correlations, self.count_most(*atoms.shape))
        shrinkage.top_k(
            correlations, norms, bound_rounding(correlations), *codes.entries
        )
        return codes

    def count_most(self, n_atoms, n_features):
        """Return the most atoms that a row is given."""
        return min(self.n_nonzero_coefs or choose_n_nonzero(n_features), n_atoms)


@dataclass
class Triangle(_CorrelationCoder):
    """Code each atom by how much nearer to the row it is than the average atom."""

    weights_atoms: ClassVar[bool] = False
    signed: ClassVar[bool] = False

    def slopes(self, atoms, chosen, row):
        return compute_distance_slopes(atoms.given, row)[chosen]

    adjoint = AbstractCoder.adjoint  # it reads distances, not products

    def encode(self, atoms, rows, start=None):
        if atoms.dtype != np.float32 or not _share_an_offset(atoms.given):
            return super().encode(atoms, rows, start)
        atoms = atoms.in_double
        everywhere = np.arange(len(rows.norms))
        correlations = rows.times_in_double(everywhere, atoms)
        codes = self.encode_correlations(atoms, correlations, rows.norms)
        values = np.where(codes.used(), codes.values, 0)  # the rest is not initialised
        return codes._replace(values=values.astype(np.float32))

    def encode_correlations(self, atoms, correlations, norms):
        codes = allocate_codes(correlations, correlations.shape[1])
        largest = max(norms.max(initial=0), atoms.norms.max(initial=0))
        if largest > _LARGEST:
            raise ValueError(
                f"Distances of rows and atoms are roots of squares, which float64 holds"
                f" for norms up to {_LARGEST:g}. Got {largest:g}; scale X."
            )
        shrinkage.triangle(correlations, norms, atoms.norms, *codes.entries)
        return codes


def compute_distance_slopes(atoms, row):
    """Differentiate by how much nearer to a row each atom is than the average atom.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms, n_features)
        The dictionary.

    row : ndarray of shape (n_features,)
        The row.

    Returns
    -------
    slopes : ndarray of shape (n_atoms, n_features)
        As if all atoms were nearer.
    """
    away = row - atoms
    lengths = np.linalg.norm(away, axis=1, keepdims=True)
    directions = away / np.where(lengths > 0, lengths, np.inf)
    return directions.mean(axis=0) - directions


def _share_an_offset(atoms):
    """Return whether distances are small differences of large products."""
    mean = atoms.mean(axis=0, dtype=np.float64)
    squares = [atom @ atom for atom in map(np.float64, atoms)]
    return mean @ mean > _OFFSET_SHARE * np.mean(squares)
