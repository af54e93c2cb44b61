"""Keys and blocks of rows, as distances between them are computed from."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sksparse_nn.solvers._rows import DenseRows, SparseRows


class Block(NamedTuple):
    """Rows beside keys, about the centre of the keys and in units of their scale."""

    rows: DenseRows | SparseRows  # dense ones about the centre
    products: np.ndarray  # (n_rows, n_keys), of unit rows and keys
    norms: np.ndarray  # (n_rows,), float64
    shifts: np.ndarray  # (n_keys,), float64: to be subtracted from products times norms


@dataclass
class Keys:
    """Points that rows are compared with.

    Dense rows are taken about the centre of the keys, so that an offset of the data
    costs no digits. For sparse rows the same is subtracted from their products.

    Parameters
    ----------
    given : ndarray of shape (n_keys, n_features)
        The keys as they came, of a float type.

    centre : ndarray of shape (n_features,)
        Their mean, of the same type.

    scale : float
        The power of two next to the largest magnitude about the centre.

    scaled : ndarray of shape (n_keys, n_features)
        The keys about the centre in units of the scale, in float64.

    columns : ndarray of shape (n_features, n_keys)
        The transpose, C-contiguous, of the type of the keys.
    """

    given: np.ndarray
    centre: np.ndarray
    scale: float
    scaled: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, given):
        """Centre and scale keys."""
        centre = given.mean(axis=0, dtype=np.float64).astype(given.dtype)
        centred = (given - centre).astype(np.float64)
        largest = np.abs(centred).max(initial=0)
        scale = 2.0 ** np.floor(np.log2(largest)) if largest > 0 else 1.0
        scaled = centred / scale
        columns = np.ascontiguousarray(scaled.T.astype(given.dtype))
        return cls(given, centre, scale, scaled, columns)

    @property
    def centred(self):
        """The keys about the centre, in the units of the data and float64."""
        return self.scaled * self.scale

    @cached_property
    def halves(self):
        """Half the squared norms, of shape (n_keys,)."""
        return (self.scaled**2).sum(axis=1) / 2

    @cached_property
    def gram(self):
        """The products of the keys, of shape (n_keys, n_keys)."""
        return self.scaled @ self.scaled.T

    @cached_property
    def curvature(self):
        """A bound of the eigenvalues of the Gram matrix, above zero."""
        return float(np.linalg.eigvalsh(self.gram)[-1]) * (1 + 1e-9) or 1.0

    @cached_property
    def _centre_products(self):
        return self.scaled @ (self.centre.astype(np.float64) / self.scale)

    def block(self, X):
        """Multiply some rows and the keys.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_rows, n_features)
            Rows, of the type of the keys.

        Returns
        -------
        block : Block
            Rows and products.
        """
        if sparse.issparse(X):
            rows, shifts = SparseRows(X), self._centre_products
        else:
            rows, shifts = DenseRows(X - self.centre), np.zeros(len(self.given))
        norms = rows.norms / self.scale
        return Block(rows, rows.times(self.columns), norms, shifts)

    def scores(self, block):
        """Return products of rows and keys less half the squares of the keys.

        Parameters
        ----------
        block : Block
            From `block`.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_keys)
            Differences in a row are half those of squared distances, in squared units
            of the scale; in float64.
        """
        products = block.products * block.norms[:, None]
        return products - (block.shifts + self.halves)

    def squares(self, block):
        """Return the squared distances of rows from the centre.

        Parameters
        ----------
        block : Block
            From `block`.

        Returns
        -------
        squares : ndarray of shape (n_rows,)
            In squared units of the scale.
        """
        squares = block.norms**2
        if isinstance(block.rows, DenseRows):
            return squares
        centre = self.centre.astype(np.float64) / self.scale
        along = block.rows.times(centre[:, None].astype(self.given.dtype))[:, 0]
        return squares - 2 * along * block.norms + centre @ centre
