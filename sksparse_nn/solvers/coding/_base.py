"""What every sparse coder does: prepare a dictionary once, then encode rows with it."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from sksparse_nn.kernels.rows import normalise_rows


class Atoms(NamedTuple):
    """A dictionary of unit atoms and what coders need of it.

    The Gram matrix is None where a coder does without.
    """

    unit: np.ndarray  # (n_atoms, n_features), rows of norm one or zero
    columns: np.ndarray  # (n_features, n_atoms), the transpose, C-contiguous
    norms: np.ndarray  # (n_atoms,), float64, before the division
    gram: np.ndarray | None  # (n_atoms, n_atoms)


class Codes(NamedTuple):
    """Sparse rows of fixed room: row i has `counts[i]` entries, at the front."""

    counts: np.ndarray  # (n_rows,), int32
    indices: np.ndarray  # (n_rows, room), int32, ascending
    values: np.ndarray  # (n_rows, room)


class AbstractCoder(ABC):
    """Algorithm that writes rows as sparse sums of given atoms.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names. It keeps no state: what depends on the dictionary alone
    is made by `prepare` and handed back to `encode`.
    """

    needs_gram = False
    weights_atoms = True  # a code says how much of each atom

    def prepare(self, dictionary, *, gram=False):
        """Do the work that needs no row.

        Parameters
        ----------
        dictionary : ndarray of shape (n_atoms, n_features)
            Atoms of any norm, of a float type.

        gram : bool, default=False
            Whether the Gram matrix is wanted even where this coder does without.

        Returns
        -------
        atoms : Atoms
            What `encode` needs.
        """
        unit = np.array(dictionary, order="C")
        norms = np.empty(len(unit))
        normalise_rows(unit, norms)
        columns = np.ascontiguousarray(unit.T)
        products = unit @ columns if gram or self.needs_gram else None
        return Atoms(unit, columns, norms, products)

    def encode(self, atoms, rows):
        """Code a block of rows.

        Parameters
        ----------
        atoms : Atoms
            From `prepare`.

        rows : DenseRows or SparseRows
            Of the atoms' float type.

        Returns
        -------
        codes : Codes
            In terms of the unit atoms.
        """
        return self.encode_correlations(atoms, rows.times(atoms.columns), rows.norms)

    def learning_coder(self):
        """Return the coder whose codes a dictionary for this one is learnt with.

        Returns
        -------
        coder : AbstractCoder
            The coder itself, unless its codes are no coefficients of the atoms.
        """
        return self

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


def room_for(correlations, width):
    """Allocate codes.

    Parameters
    ----------
    correlations : ndarray of shape (n_rows, n_atoms)
        Gives the number of rows and the float type.

    width : int
        Entries a row at most.

    Returns
    -------
    codes : Codes
        Not initialised.
    """
    n_rows = len(correlations)
    return Codes(
        np.empty(n_rows, np.int32),
        np.empty((n_rows, width), np.int32),
        np.empty((n_rows, width), correlations.dtype),
    )
