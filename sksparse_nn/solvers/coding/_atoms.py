"""A dictionary and what coders need of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sksparse_nn.kernels.rows import normalise_rows
from sksparse_nn.solvers._rows import block_slices

# Numbers of a dictionary that are converted at a time; a copy of wide atoms is large.
_NUMBERS = 2**20


@dataclass
class Atoms:
    """A dictionary of unit atoms and what coders need of it.

    Parameters
    ----------
    given : ndarray of shape (n_atoms, n_features)
        The dictionary as given.

    columns : ndarray of shape (n_features, n_atoms)
        The transpose of the unit atoms, C-contiguous. An atom of zeros stays zero.

    norms : ndarray of shape (n_atoms,)
        Norms before the division, in float64.

    gram : ndarray of shape (n_atoms, n_atoms) or None
        Products of the unit atoms, where the coder needs them.
    """

    given: np.ndarray
    columns: np.ndarray
    norms: np.ndarray
    gram: np.ndarray | None

    @classmethod
    def of(cls, dictionary, *, gram):
        """Normalise a dictionary, and multiply its atoms if wanted."""
        norms = np.empty(len(dictionary))
        columns = np.empty(dictionary.shape[::-1], dictionary.dtype)
        for some in _cut_atoms(dictionary):
            unit = np.array(dictionary[some], order="C")
            normalise_rows(unit, norms[some])
            columns[:, some] = unit.T
        # NumPy multiplies a matrix by its own transpose in half the time.
        return cls(dictionary, columns, norms, columns.T @ columns if gram else None)

    @property
    def shape(self):
        """Number of atoms and of features."""  # numpydoc ignore=RT01
        return self.given.shape

    @property
    def dtype(self):
        """Float type of the unit atoms."""  # numpydoc ignore=RT01
        return self.columns.dtype

    @cached_property
    def unit(self):
        """The unit atoms as rows, an ndarray of shape (n_atoms, n_features)."""
        return np.ascontiguousarray(self.columns.T)

    def in_terms_of_given(self, chosen, slopes):
        """Turn slopes of codes of unit atoms into those of the given atoms."""
        norms = self.norms[chosen]
        return slopes / np.where(norms > 0, norms, 1)[:, None]

    @cached_property
    def in_double(self):
        """The same in float64, as `AtomsInDouble`."""
        return AtomsInDouble.of(self.given)


@dataclass
class AtomsInDouble:
    """Atoms of single precision in float64, made where they are asked for.

    Parameters
    ----------
    given : ndarray of shape (n_atoms, n_features)
        The dictionary as given.

    norms : ndarray of shape (n_atoms,)
        Of its atoms.

    gram : ndarray of shape (n_atoms, n_atoms)
        Products of the unit atoms.
    """

    given: np.ndarray
    norms: np.ndarray
    gram: np.ndarray

    @classmethod
    def of(cls, dictionary):
        """Measure and multiply atoms."""
        n_atoms, n_features = dictionary.shape
        atoms = cls(dictionary, np.empty(n_atoms), np.zeros((n_atoms, n_atoms)))
        for some in _cut_atoms(dictionary):
            rows = np.array(dictionary[some], np.float64, order="C")
            normalise_rows(rows, atoms.norms[some])
        for features in block_slices(n_features, max(1, _NUMBERS // n_atoms)):
            columns = atoms.columns_of(features)
            atoms.gram += columns.T @ columns
        return atoms

    @property
    def shape(self):
        """Number of atoms and of features."""  # numpydoc ignore=RT01
        return self.given.shape

    @property
    def are_few(self):
        """Whether all of them are converted at a time."""  # numpydoc ignore=RT01
        return self.given.size <= _NUMBERS

    def columns_of(self, features):
        """Return some features of the unit atoms.

        Parameters
        ----------
        features : slice or ndarray of int
            Which.

        Returns
        -------
        columns : ndarray of shape (n_chosen, n_atoms)
            C-contiguous.
        """
        inverses = np.divide(
            1, self.norms, out=np.zeros_like(self.norms), where=self.norms > 0
        )
        columns = np.array(self.given[:, features].T, np.float64, order="C")
        columns *= inverses
        return columns

    @cached_property
    def columns(self):
        """The transpose of the unit atoms, C-contiguous."""
        return self.columns_of(slice(None))


def _cut_atoms(dictionary):
    size = max(1, _NUMBERS // max(dictionary.shape[1], 1))
    return block_slices(len(dictionary), size)
