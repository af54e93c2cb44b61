"""The contract of coders: prepare a dictionary once, then encode rows with it."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sksparse_nn._registry import Algorithm
from sksparse_nn.kernels.codes import write_codes
from sksparse_nn.solvers._threads import single_threaded_blas
from sksparse_nn.solvers.coding._atoms import Atoms


class Codes(NamedTuple):
    """Sparse codes in arrays of fixed width: row i uses `counts[i]` entries."""

    counts: np.ndarray  # (n_rows,), int32
    indices: np.ndarray  # (n_rows, room), int32, ascending
    values: np.ndarray  # (n_rows, room)
    gaps: np.ndarray  # (n_rows,), float64, relative duality gap where there is one

    @property
    def entries(self):
        """Counts, indices and values, as kernels take them."""
        return self.counts, self.indices, self.values

    def used(self):
        """Return a mask of the room that is in use, of shape (n_rows, room)."""
        return np.arange(self.indices.shape[1]) < self.counts[:, None]

    def put(self, counts, indices, values):
        """Overwrite the codes with compressed ones."""
        self.counts[:] = counts
        used = self.used()
        self.indices[used] = indices
        self.values[used] = values

    def overwrite(self, which, codes):
        """Replace the codes of some rows."""
        for old, new in zip(self, codes, strict=True):
            old[which] = new

    def dense(self, n_atoms):
        """Return the codes as an ndarray of shape (n_rows, n_atoms)."""
        dense = np.zeros((len(self.counts), n_atoms), self.values.dtype)
        write_codes(*self.entries, dense)
        return dense


class AbstractCoder(Algorithm, ABC):
    """Algorithm that writes rows as sparse sums of given atoms.

    A subclass is a dataclass; its fields are the parameters of the estimator that it
    reads, under the same names. It keeps no state: what depends on the dictionary alone
    is made by `prepare` and handed back to `encode`.
    """

    needs_gram = False
    weights_atoms = True  # a code says how much of each atom
    approximates = True  # codes times atoms is near the rows
    penalised = False  # codes are smaller than least squares would have them
    warm_starts = False  # begins from codes that it is given
    signed = True  # codes can be below zero
    fits_support = False  # codes solve linear equations of the atoms that they have
    sparsity = None  # the parameter that a path runs over, as `Count` or `Level`

    def prepare(self, dictionary, *, gram=False):
        """Compute what depends on the dictionary alone.

        Parameters
        ----------
        dictionary : ndarray of shape (n_atoms, n_features)
            Atoms of any norm, of a float type.

        gram : bool, default=False
            Whether to compute the Gram matrix even if this coder does not need it.

        Returns
        -------
        atoms : Atoms
            Input of `encode`.
        """
        return Atoms.of(dictionary, gram=gram or self.needs_gram)

    @abstractmethod
    def encode(self, atoms, rows, start=None):
        """Code a block of rows.

        Parameters
        ----------
        atoms : Atoms
            From `prepare`.

        rows : DenseRows or SparseRows
            Of the atoms' float type.

        start : tuple of ndarray or None, default=None
            Codes of these rows that a coder starts from if it `warm_starts`, as
            `compress_codes` returns them.

        Returns
        -------
        codes : Codes
            In terms of the unit atoms.
        """

    def slopes(self, atoms, chosen, row):
        """Differentiate the codes of chosen atoms by the row, the choice being given.

        Parameters
        ----------
        atoms : Atoms
            From `prepare`, in float64.

        chosen : ndarray of int of shape (n_chosen,)
            Atoms in the code of the row.

        row : ndarray of shape (n_features,)
            The row.

        Returns
        -------
        slopes : ndarray of shape (n_chosen, n_features)
            Of codes in terms of the given atoms.

        Raises
        ------
        TypeError
            If the coder has no slopes.
        """
        raise TypeError(
            "Predictions cannot be attributed through the coder "
            f"{type(self).__name__}, which has no slopes; write its method slopes, or "
            "use features=False."
        )

    def adjoint(self, atoms, codes, gradients):
        """Turn the gradients of codes into those of products of rows and atoms.

        Parameters
        ----------
        atoms : Atoms
            From `prepare`.

        codes : Codes
            What `encode` returned for some rows.

        gradients : ndarray of shape (n_rows, n_atoms)
            Of a loss by all codes, in terms of unit atoms.

        Returns
        -------
        adjoint : ndarray of shape (n_rows, room)
            For the nonzeros of each code, the choice of atoms being given.

        Raises
        ------
        TypeError
            If the coder does not say.
        """
        raise TypeError(
            f"A dictionary cannot be trained through the coder {type(self).__name__}, "
            "which has no adjoint; write its method adjoint, or use algorithm='lasso'."
        )

    def falls_with_alpha(self, codes):
        """Return by how much the products that codes fit fall as alpha grows.

        Parameters
        ----------
        codes : Codes
            Codes of some rows, in terms of unit atoms.

        Returns
        -------
        falls : ndarray of shape (n_rows, room)
            Zeros where alpha chooses the atoms only.
        """
        return np.zeros(codes.values.shape)

    def levels(self, atoms):
        """Return the product with a row up to which each atom stays out of its code.

        Parameters
        ----------
        atoms : Atoms
            From `prepare`.

        Returns
        -------
        levels : ndarray of shape (n_atoms,) or None
            Of unit atoms alone, in proportion to `alpha`; None for a coder without it.
        """

    def work(self, n_atoms, n_features, n_nonzero):
        """Estimate the multiply-adds of coding one row.

        Parameters
        ----------
        n_atoms, n_features : int
            Shape of the dictionary.

        n_nonzero : float
            Mean number of nonzeros of a code.

        Returns
        -------
        work : float
            Products of the row and the atoms. Where codes are searched, each atom that
            joins takes the products of all atoms with those that are there.
        """
        return n_atoms * n_features + n_atoms * n_nonzero * (n_nonzero + 1) / 2

    def keep_atoms(self, kept):
        """Return the algorithm for some of the atoms.

        Parameters
        ----------
        kept : ndarray of int
            Their indices.

        Returns
        -------
        coder : AbstractCoder
            With the weights of these atoms, if it weights atoms.
        """
        weights = getattr(self, "atom_weights", None)
        if weights is None:
            return self
        return replace(self, atom_weights=np.asarray(weights)[kept])

    def most_atoms(self, n_atoms, n_features):
        """Return how many atoms a code can have.

        Parameters
        ----------
        n_atoms, n_features : int
            Shape of the dictionary.

        Returns
        -------
        most : int
            The bound that the dictionary sets.
        """
        return n_atoms

    def largest_gap(self, dtype):
        """Return the largest relative duality gap allowed in a float type.

        Parameters
        ----------
        dtype : dtype
            Of the codes.

        Returns
        -------
        gap : float
            Infinite for a coder that minimises nothing.
        """
        return np.inf

    def penalty(self, codes):
        """Return the penalty of each code.

        Parameters
        ----------
        codes : Codes
            Codes of some rows.

        Returns
        -------
        penalty : ndarray of shape (n_rows,)
            In the squared units of the data.
        """
        return np.zeros(len(codes.counts))

    def learning_coder(self):
        """Return the coder to learn a dictionary for this one with.

        Returns
        -------
        coder : AbstractCoder
            The coder itself, unless its codes are no coefficients of the atoms.
        """
        return self

    def encode_path(self, atoms, rows, values):
        """Code a block of rows for several values of the path parameter.

        Parameters
        ----------
        atoms : Atoms
            From `prepare`.

        rows : DenseRows or SparseRows
            Of the atoms' float type.

        values : sequence
            Values of the parameter.

        Returns
        -------
        path : list of Codes
            For each value.
        """
        name = self.sparsity.parameter
        coders = [replace(self, **{name: value}) for value in values]
        return [coder.encode(atoms, rows) for coder in coders]


def prepare_atoms(coder, dictionary, dtype):
    """Prepare a dictionary for a coder, with BLAS held to one thread.

    Parameters
    ----------
    coder : AbstractCoder
        Algorithm.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm.

    dtype : dtype
        Float type of the rows.

    Returns
    -------
    atoms : Atoms
        Of that type.
    """
    with single_threaded_blas():
        return coder.prepare(np.asarray(dictionary, dtype=dtype))


def compute_least_squares_slopes(atoms, chosen):
    """Differentiate coefficients that are fitted by least squares.

    Parameters
    ----------
    atoms : Atoms
        The dictionary.

    chosen : ndarray of int of shape (n_chosen,)
        Those that are fitted.

    Returns
    -------
    slopes : ndarray of shape (n_chosen, n_features)
        As `AbstractCoder.slopes` says.
    """
    slopes = np.linalg.pinv(atoms.unit[chosen].T)
    return atoms.in_terms_of_given(chosen, slopes)


def choose_n_nonzero(n_features):
    """Return the default for the most atoms per row.

    Parameters
    ----------
    n_features : int
        Width of the rows.

    Returns
    -------
    most : int
        A tenth of the features, five at least.
    """
    return max(5, n_features // 10)


def bound_rounding(correlations):
    """Bound the rounding of a product of a unit row and a unit atom.

    Parameters
    ----------
    correlations : ndarray
        Gives the float type.

    Returns
    -------
    floor : float
        A few units of the last digit of one.
    """
    return 32 * float(np.finfo(correlations.dtype).eps)


def allocate_codes(correlations, width):
    """Allocate codes.

    Parameters
    ----------
    correlations : ndarray of shape (n_rows, n_atoms)
        Gives the number of rows and the float type.

    width : int
        Most entries per row.

    Returns
    -------
    codes : Codes
        Not initialised, with gaps of zero.
    """
    n_rows = len(correlations)
    return Codes(
        np.empty(n_rows, np.int32),
        np.empty((n_rows, width), np.int32),
        np.empty((n_rows, width), correlations.dtype),
        np.zeros(n_rows),
    )


def compress_codes(codes, norms=None):
    """Drop the unused room of a block of codes.

    Parameters
    ----------
    codes : Codes
        In terms of unit atoms.

    norms : ndarray of shape (n_atoms,) or None, default=None
        Norms of the atoms in whose terms the values are wanted.

    Returns
    -------
    counts, indices, values : ndarray
        Of shapes (n_rows,) and twice (n_values,).
    """
    used = codes.used()
    indices = codes.indices[used]
    values = codes.values[used]
    if norms is not None:
        values = (values / norms[indices]).astype(values.dtype)
    return codes.counts, indices, values
