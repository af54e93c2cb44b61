"""What a chunk of rows says of a dictionary: sums of codes, and rows served worst."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn._rounds import Sum, stack_rows
from sksparse_nn.solvers.dictionary._base import (
    Pass,
    Progress,
    code_rows,
    find_worst_served,
)
from sksparse_nn.solvers.dictionary._statistics import Statistics

# Rows that stand by for idle atoms: of a chunk, and of all chunks together.
_STAND_BY = 64


@dataclass(frozen=True)
class CodedSums(Sum):
    """Sums over coded rows, which add up exactly, and the rows with the largest errors.

    Parameters
    ----------
    statistics : Statistics
        Sums over rows and codes.

    objective : float
        Weighted sum of the rows' objectives.

    weight : float
        Sum of the weights.

    gap : float
        Largest relative duality gap of a code.

    X : ndarray or CSR matrix of shape (n_rows, n_features)
        The rows with the largest errors.

    errors, norms : ndarray of shape (n_rows,)
        Squared norms of their residuals, falling, and their norms.
    """

    statistics: Statistics
    objective: float
    weight: float
    gap: float
    X: np.ndarray | sparse.csr_matrix
    errors: np.ndarray
    norms: np.ndarray

    @classmethod
    def of_rows(cls, coder, dictionary, X, weights, n_jobs=None):
        """Code rows and sum over their codes.

        Parameters
        ----------
        coder : AbstractCoder
            Codes the rows.

        dictionary : ndarray of shape (n_atoms, n_features)
            Unit atoms.

        X : ndarray, CSR matrix or PickedRows of shape (n_rows, n_features)
            Rows, of the type of the atoms.

        weights : ndarray of shape (n_rows,)
            Their weights.

        n_jobs : int or None, default=None
            Number of threads; the result does not depend on it.

        Returns
        -------
        sums : CodedSums
            Of these rows.
        """
        progress = Progress.begin(dictionary)
        seen = code_rows(coder, progress, X, weights, n_jobs=n_jobs)
        worst = find_worst_served(seen.errors, seen.norms, _STAND_BY)
        return cls(
            progress.statistics,
            progress.objective,
            progress.weight,
            progress.gap,
            seen.X[worst],
            seen.errors[worst],
            seen.norms[worst],
        )

    def merge(self, other):
        errors = np.concatenate([self.errors, other.errors])
        norms = np.concatenate([self.norms, other.norms])
        worst = find_worst_served(errors, norms, _STAND_BY)
        return CodedSums(
            self.statistics.plus(other.statistics),
            self.objective + other.objective,
            self.weight + other.weight,
            max(self.gap, other.gap),
            stack_rows(self.X, other.X)[worst],
            errors[worst],
            norms[worst],
        )

    def add_to(self, progress):
        """Add the sums to the progress of a dictionary that the rows were coded with.

        Parameters
        ----------
        progress : Progress
            Its statistics and counters are updated.

        Returns
        -------
        seen : Pass
            The rows with the largest errors.
        """
        progress.statistics = progress.statistics.plus(self.statistics)
        progress.usage += self.statistics.usage
        progress.objective += self.objective
        progress.weight += self.weight
        progress.gap = max(progress.gap, self.gap)
        progress.n_batches += 1
        atoms = progress.dictionary
        return Pass(self.X, self.errors, self.norms, atoms @ atoms.T)
