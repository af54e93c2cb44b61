"""Keys and blocks of rows, and the distances between them."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sksparse_nn.solvers._rows import DenseRows, SparseRows, block_slices
from sksparse_nn.solvers.simplex._differences import compute_half_squares

# Largest rounding of products, as a share of the squared distance to the second nearest
# key, with which they still distinguish the keys.
_SEEN = 1e-3

_ALL = slice(None)
NUMBERS = 2**19  # largest number of values of keys in double precision at a time


class Block(NamedTuple):
    """Rows and their products with keys, in units of the scale of the keys."""

    rows: DenseRows | SparseRows  # dense ones about the centre of the keys
    products: np.ndarray  # (n_rows, n_keys), of unit rows and keys
    norms: np.ndarray  # (n_rows,), float64
    shifts: np.ndarray  # (n_keys,), float64: subtract from products times norms
    hidden: np.ndarray | None = None  # rows whose products do not distinguish keys
    halves: np.ndarray | None = None  # (n_rows, n_keys), exact, if a row is hidden
    given: np.ndarray | sparse.csr_matrix | None = None  # the rows, if one is hidden


@dataclass
class Keys:
    """Points that rows are compared with.

    The centre of the keys is subtracted from dense rows, so that an offset of the data
    costs no digits. For sparse rows it is subtracted from their products.

    Parameters
    ----------
    given : ndarray of shape (n_keys, n_features)
        The keys, of a float type.

    centre : ndarray of shape (n_features,)
        Mean of the keys, of the same type.

    scale : float
        Largest magnitude of the centred keys, rounded down to a power of two.

    columns : ndarray of shape (n_features, n_keys)
        Transpose of the centred keys in units of the scale, C-contiguous, of the type
        of the keys.
    """

    given: np.ndarray
    centre: np.ndarray
    scale: float
    columns: np.ndarray

    @classmethod
    def of(cls, given):
        """Centre and scale keys."""
        centre = given.mean(axis=0, dtype=np.float64).astype(given.dtype)
        keys = cls(given, centre, 1.0, np.empty(given.shape[::-1], given.dtype))
        largest = max(np.abs(keys.read_scaled(keys=some)).max() for some in keys.blocks)
        if largest > 0:
            keys.scale = 2.0 ** np.floor(np.log2(largest))
        for some in keys.blocks:
            keys.columns[:, some] = keys.read_scaled(keys=some).T
        return keys

    def read_scaled(self, features=_ALL, keys=_ALL):
        """Return some features of some keys, centred, in units of the scale.

        The result is in float64; for all of wide keys it would take much memory.
        """
        part = self.given[keys, features] - self.centre[features]
        return part.astype(np.float64) / self.scale

    def read_centred(self, features=_ALL, keys=_ALL):
        """Return some features of some keys, centred, in units of the data."""
        return self.read_scaled(features, keys) * self.scale

    @cached_property
    def centred(self):
        """All keys, centred, in units of the data. Only for few, as it is kept."""
        return self.read_centred()

    @property
    def blocks(self):
        """Bounded slices of the keys, in order."""  # numpydoc ignore=RT01
        n_keys, n_features = self.given.shape
        return block_slices(n_keys, max(1, NUMBERS // n_features))

    @property
    def feature_blocks(self):
        """Bounded slices of the features, in order."""  # numpydoc ignore=RT01
        n_keys, n_features = self.given.shape
        return block_slices(n_features, max(1, NUMBERS // n_keys))

    @cached_property
    def halves(self):
        """Half the squared norms, of shape (n_keys,)."""
        parts = [(self.read_scaled(keys=some) ** 2).sum(axis=1) for some in self.blocks]
        return np.concatenate(parts) / 2

    @cached_property
    def gram(self):
        """Gram matrix of the centred keys, of shape (n_keys, n_keys)."""
        parts = (self.read_scaled(some) for some in self.feature_blocks)
        return sum(part @ part.T for part in parts)

    @cached_property
    def curvature(self):
        """Upper bound on the eigenvalues of the Gram matrix, above zero."""
        return float(np.linalg.eigvalsh(self.gram)[-1]) * (1 + 1e-9) or 1.0

    @cached_property
    def _centre_products(self):
        centre = self.centre.astype(np.float64) / self.scale
        return np.concatenate(
            [self.read_scaled(keys=some) @ centre for some in self.blocks]
        )

    @cached_property
    def _reach(self):
        return float(np.sqrt(2 * self.halves.max()))

    @cached_property
    def _centre_norm(self):
        return float(np.linalg.norm(self.centre.astype(np.float64) / self.scale))

    @cached_property
    def _closest(self):
        """Smallest squared distance of two keys, up to rounding; inf for one key."""
        squares = 2 * (self.halves[:, None] + self.halves - self.gram)
        np.fill_diagonal(squares, np.inf)
        return float(squares.min())

    def read_block(self, X):
        """Read a block of rows and multiply it by the keys.

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
        block = Block(rows, rows.times(self.columns), norms, shifts)
        hidden = self._find_hidden(block)
        if not len(hidden):
            return block
        halves = compute_half_squares(X, self.given, self.scale)
        return block._replace(hidden=hidden, halves=halves, given=X)

    def _find_hidden(self, block):
        """Find the rows whose products round too much to distinguish the keys.

        The second nearest key is at least half as far from the row as the two nearest
        keys are from each other, so that most blocks need no closer look.
        """
        errors = np.finfo(self.given.dtype).eps * self._reach * block.norms
        if isinstance(block.rows, SparseRows):
            errors += np.finfo(self.given.dtype).eps * self._reach * self._centre_norm
        if errors.max(initial=0) <= _SEEN * self._closest / 4:
            return np.arange(0)
        second = np.partition(self.scores(block), -2, axis=1)[:, -2]
        squares = self.squares(block) - 2 * second
        return np.flatnonzero(errors > _SEEN * np.maximum(squares, 0))

    def scores(self, block):
        """Return products of rows and keys minus half the squares of the keys.

        Parameters
        ----------
        block : Block
            From `read_block`.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_keys)
            Minus half the squared distances up to a constant per row, in squared units
            of the scale; in float64.
        """
        products = block.products * block.norms[:, None]
        scores = products - (block.shifts + self.halves)
        if block.hidden is not None:
            scores[block.hidden] = -block.halves[block.hidden]
        return scores

    def make_comparable(self, block):
        """Return a block whose products minus offsets distinguish the keys.

        Parameters
        ----------
        block : Block
            From `read_block`.

        Returns
        -------
        block : Block
            The same block if no row is hidden.

        offsets : ndarray of shape (n_keys,)
            To subtract from products times norms.
        """
        if block.hidden is None:
            return block, block.shifts + self.halves
        scores, n_rows = self.scores(block), len(block.norms)
        block = block._replace(products=scores, norms=np.ones(n_rows))
        return block, np.zeros(len(self.given))

    def half_distances(self, block):
        """Return half the squared distances of rows and keys.

        Parameters
        ----------
        block : Block
            From `read_block`.

        Returns
        -------
        halves : ndarray of shape (n_rows, n_keys)
            In squared units of the scale.
        """
        if block.hidden is not None:
            return block.halves
        return self.squares(block)[:, None] / 2 - self.scores(block)

    def squares(self, block):
        """Return the squared distances of rows from the centre.

        Parameters
        ----------
        block : Block
            From `read_block`.

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
