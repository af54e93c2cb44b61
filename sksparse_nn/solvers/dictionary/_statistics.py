"""Sums over rows that dictionary updates are computed from."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels.statistics import add_code_products


@dataclass
class Statistics:
    """Sums over rows x with codes c and weights w.

    Parameters
    ----------
    A : ndarray of shape (n_atoms, n_atoms)
        Sum of w c c'.

    B : ndarray of shape (n_atoms, n_features)
        Sum of w c x'.

    usage : ndarray of shape (n_atoms,)
        Sum of w over the rows that use an atom.
    """

    A: np.ndarray
    B: np.ndarray
    usage: np.ndarray

    @classmethod
    def empty(cls, n_atoms, n_features):
        """Return the statistics of no rows."""
        return cls(
            np.zeros((n_atoms, n_atoms)),
            np.zeros((n_atoms, n_features)),
            np.zeros(n_atoms),
        )

    def forget(self, kept, kept_use=None):
        """Multiply the products, and the use, by factors of at most one."""
        self.A *= kept
        self.B *= kept
        self.usage *= kept if kept_use is None else kept_use

    def add(self, rows, codes, weights, usage):
        """Add rows, their codes and weights, and the weight that uses each atom."""
        add_code_products(*codes.entries, weights, self.A)
        rows.add_products(codes, weights, self.B)
        self.usage += usage

    def plus(self, other):
        """Return the sums over the rows of both."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Statistics(*(mine + its for mine, its in pairs))

    def reset(self, atoms, usage):
        """Set the sums of some atoms to zero, and their usage to a given value."""
        self.A[atoms] = 0
        self.A[:, atoms] = 0
        self.B[atoms] = 0
        self.usage[atoms] = usage


class NoStatistics:
    """Stand-in for `Statistics` if nothing is learnt."""

    def add(self, rows, codes, weights, usage):
        """Do nothing."""


def measure_usage(codes, weights, n_atoms):
    """Return the total weight of the rows that use each atom.

    Parameters
    ----------
    codes : Codes
        Codes of the rows.

    weights : ndarray of shape (n_rows,)
        Weights of the rows.

    n_atoms : int
        Number of atoms.

    Returns
    -------
    usage : ndarray of shape (n_atoms,)
        Zero for an atom that no code uses.
    """
    return np.bincount(
        codes.indices[codes.used()], np.repeat(weights, codes.counts), minlength=n_atoms
    )
