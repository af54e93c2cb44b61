"""Residual, without one atom, of the rows that use it."""

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from sksparse_nn.kernels.served import add_shares, subtract_projections
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers.dictionary._initial import compute_cosines

_NUMBERS = 2**20  # of rows that are looked at in one go
_COPIED = 2**22  # of rows that are multiplied with each other
_SQUARED = 2048  # products of more rows, and of more features, take too much room


class Served:
    """Residual, without one atom, of the rows that use it; never formed as a whole.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_samples, n_features)
        All rows.

    codes : KeptCodes
        Their current codes.

    rows : ndarray of shape (n_rows,)
        Rows that use the atom.

    dictionary : ndarray of shape (n_atoms, n_features)
        The current atoms.

    number : int
        The atom left out.

    Attributes
    ----------
    atom : ndarray of shape (n_features,)
        A view of it.
    """

    def __init__(self, X, codes, rows, dictionary, number):
        self._X, self._codes, self._rows = X, codes, rows
        self._dictionary, self._number = dictionary, number
        self.atom = dictionary[number]
        size = max(1, _NUMBERS // _count_per_row(X))
        self._blocks = block_slices(len(rows), size)
        is_one = len(self._blocks) == 1
        self._only = self._read(self._blocks[0]) if is_one else None

    def _read(self, where):
        rows = self._rows[where]
        return where, self._X[rows], rows

    def _read_other_codes(self, rows):
        """Return the codes of some rows, without the atom."""
        codes = self._codes.take(rows)
        codes.data[codes.indices == self._number] = 0
        return codes

    def _parts(self):
        if self._only is not None:
            return iter([self._only])
        return map(self._read, self._blocks)

    def sum(self, factors):
        """Return the sum of the rows times some factors."""
        of_rows, shares = 0, np.zeros(len(self._dictionary))
        for where, X, rows in self._parts():
            of_rows = of_rows + X.T @ factors[where]
            add_shares(*self._codes.arrays, rows, self._number, factors[where], shares)
        return of_rows - _mix_atoms(shares, self._dictionary)

    def along(self, direction):
        """Return the product of each row with a direction."""
        of_atoms = compute_cosines(self._dictionary, direction).astype(np.float64)
        of_rows = np.empty(len(self._rows))
        for where, X, rows in self._parts():
            of_rows[where] = X @ direction
            subtract_projections(
                *self._codes.arrays, rows, self._number, of_atoms, of_rows[where]
            )
        return of_rows

    def main_direction(self, factors):
        """Return the first right singular vector of the rows times some factors.

        Its sign is that of the atom left out.
        """
        n_rows, n_features = len(self._rows), self._dictionary.shape[1]
        is_wide = n_features > n_rows
        squares_are_small = min(n_rows, n_features) <= _SQUARED
        if not squares_are_small or (
            is_wide and n_rows * _count_per_row(self._X) > _COPIED
        ):
            direction = self._iterate(factors)
        elif is_wide:
            vector = _main_eigenvector(self._row_products(factors))
            direction = self.sum(factors * vector)
        else:
            direction = _main_eigenvector(self._feature_products(factors))
        return direction if direction @ self.atom >= 0 else -direction

    def _row_products(self, factors):
        """Multiply the rows with each other, some features at a time."""
        rows, products = self._X[self._rows], 0
        codes = self._read_other_codes(self._rows)
        n_features = self._dictionary.shape[1]
        for some in block_slices(n_features, max(1, _NUMBERS // len(factors))):
            left = _compute_residual(
                rows[:, some], codes, self._dictionary[:, some], factors
            )
            products = products + left @ left.T
        return products

    def _feature_products(self, factors):
        """Multiply the features with each other, some rows at a time."""
        products = 0
        for where, X, rows in self._parts():
            codes = self._read_other_codes(rows)
            left = _compute_residual(X, codes, self._dictionary, factors[where])
            products = products + left.T @ left
        return products

    def _iterate(self, factors):
        """Find the direction without products of rows or of features."""
        n_features = len(self.atom)
        squares = LinearOperator(
            (n_features, n_features),
            matvec=lambda d: self.sum(factors**2 * self.along(d.ravel())),
            dtype=np.float64,
        )
        return eigsh(squares, k=1, v0=self.atom.astype(np.float64))[1][:, 0]


def _count_per_row(X):
    """Return the number of values per row."""
    is_sparse = sparse.issparse(getattr(X, "whole", X))
    return max(1, X.nnz // max(X.shape[0], 1) if is_sparse else X.shape[1])


def _compute_residual(X, codes, dictionary, factors):
    X = X.toarray() if sparse.issparse(X) else X
    return (X - codes @ dictionary) * factors[:, None]


def _main_eigenvector(products):
    last = len(products) - 1
    return linalg.eigh(products, subset_by_index=[last, last])[1][:, 0]


def _mix_atoms(shares, dictionary):
    """Add up atoms, some at a time as they are converted to double precision."""
    used = np.flatnonzero(shares)
    size = max(1, _NUMBERS // dictionary.shape[1])
    total = np.zeros(dictionary.shape[1], np.result_type(shares, dictionary))
    for some in block_slices(len(used), size):
        total += shares[used[some]] @ dictionary[used[some]]
    return total
