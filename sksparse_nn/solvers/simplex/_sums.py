"""What keys and values are fitted from: sums over the codes of all rows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.statistics import add_code_products
from sksparse_nn.solvers._rows import SparseRows, block_slices
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.coding import Codes
from sksparse_nn.solvers.simplex._keys import Block, Keys

# Numbers of keys up to which each block of rows has sums of its own, on threads.
_FEW = 2**21


@dataclass
class Sums:
    """Weighted sums over rows x about the centre of the keys and their codes c.

    Parameters
    ----------
    weight : float
        Of all rows.

    square : float
        Of |x|^2.

    n_nonzero : float
        Of the nonzeros of c.

    codes : ndarray of shape (n_keys, n_keys)
        Of c' c.

    rows : ndarray of shape (n_keys, n_features)
        Of c' x.

    distance : float
        Of half the squared distances to the keys, weighted by c.

    n_hidden : int
        Rows that products do not tell from each other.
    """

    weight: float
    square: float
    n_nonzero: float
    codes: np.ndarray
    rows: np.ndarray
    distance: float
    n_hidden: int

    @property
    def shares(self):
        """The sum of c, which adds up to one in each row, of shape (n_keys,)."""
        return self.codes.sum(axis=1)

    def add(self, other):
        """Add the sums over other rows, in place."""
        for name, value in vars(other).items():
            if value is not None:
                total = getattr(self, name)
                total += value
                setattr(self, name, total)

    def mean_distance(self, keys):
        """Return the mean over rows of half the squared distances, weighted by codes.

        Parameters
        ----------
        keys : Keys
            Those that the rows were coded with.

        Returns
        -------
        mean : float
            Not below zero.
        """
        if self.n_hidden:
            return self.distance / self.weight
        return max(_expanded(self, keys), 0.0) / 2 / self.weight

    def mean_error(self, centred, blocks):
        """Return the mean over rows of half the square of what codes times keys leave.

        Parameters
        ----------
        centred : callable
            Takes a slice of features and returns what keys or values have of them,
            about the centre.

        blocks : list of slice
            The features.

        Returns
        -------
        mean : float
            Not below zero.
        """
        total = self.square
        for some in blocks:
            part = centred(some)
            total += np.vdot(self.codes @ part - 2 * self.rows[:, some], part)
        return max(total, 0.0) / 2 / self.weight


def sum_over(coding, keys, X, weights, n_jobs=None):
    """Code all rows and sum.

    Parameters
    ----------
    coding : Nearest, Step or Converged
        How.

    keys : Keys
        What rows are compared with.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of the type of the keys.

    weights : ndarray of shape (n_samples,)
        Their weights.

    n_jobs : int or None, default=None
        Number of threads; no bit depends on it.

    Returns
    -------
    sums : Sums
        In the units of the data.
    """
    few = keys.given.size <= _FEW

    def of_block(which):
        coded = _Coded.of(coding, keys, X[which], weights[which])
        return coded.sums() if few else coded

    blocks = map_in_order(of_block, block_slices(len(weights)), n_jobs)
    if not few:
        return _added_up(keys, blocks)
    sums = next(blocks)
    for block in blocks:
        sums.add(block)
    return sums


def _added_up(keys, blocks):
    """Add coded blocks to sums that exist once, as those over wide keys are large."""
    n_keys, shape = len(keys.given), keys.given.shape
    total = Sums(0.0, 0.0, 0.0, np.zeros((n_keys, n_keys)), np.zeros(shape), 0.0, 0)
    for coded in blocks:
        if coded.is_hidden and not total.n_hidden:
            total.distance = _expanded(total, keys) / 2
        if coded.is_hidden or total.n_hidden:
            total.add(coded.sums())
        else:  # the distance follows from the other sums
            total.add(coded.sums_but_of_rows())
            coded.add_products(total.rows)
    return total


class _Coded(NamedTuple):
    """Some rows and their codes."""

    keys: Keys
    X: np.ndarray | sparse.csr_matrix
    weights: np.ndarray
    block: Block
    codes: Codes

    @classmethod
    def of(cls, coding, keys, X, weights):
        block = keys.block(X)
        return cls(keys, X, weights, block, coding.encode(keys, block))

    @property
    def is_hidden(self):
        return self.block.hidden is not None

    def sums(self):
        keys, codes, sums = self.keys, self.codes, self.sums_but_of_rows()
        sums.rows = np.zeros(keys.given.shape)
        self.add_products(sums.rows)
        if self.is_hidden:
            halves = keys.half_distances(self.block)
            halves = (codes.dense(len(keys.given)) * halves).sum(axis=1)
            sums.distance = self.weights @ halves * keys.scale**2
        else:
            sums.distance = _expanded(sums, keys) / 2
        return sums

    def sums_but_of_rows(self):
        keys, weights, n_keys = self.keys, self.weights, len(self.keys.given)
        A = np.zeros((n_keys, n_keys))
        add_code_products(*self.codes.entries, weights, A)
        square = weights @ keys.squares(self.block) * keys.scale**2
        n_hidden = len(self.block.hidden) if self.is_hidden else 0
        n_nonzero = weights @ self.codes.counts
        return Sums(weights.sum(), square, n_nonzero, A, None, 0.0, n_hidden)

    def add_products(self, B):
        """Add the sum of c' x about the centre to a matrix."""
        codes, weights, n_keys = self.codes, self.weights, len(self.keys.given)
        are_sparse = isinstance(self.block.rows, SparseRows)
        if are_sparse or not self.is_hidden:
            self.block.rows.add_products(codes, weights, B)
        else:  # about the centre, rows of single precision have lost digits
            B += (codes.dense(n_keys) * weights[:, None]).T @ self.X.astype(np.float64)
        if are_sparse or self.is_hidden:
            values = codes.values[codes.used()].astype(np.float64)
            of_values = np.repeat(weights, codes.counts)
            indices = codes.indices[codes.used()]
            shares = np.bincount(indices, of_values * values, n_keys)
            for row, share in zip(B, shares, strict=True):
                row -= share * self.keys.centre.astype(np.float64)


def _expanded(sums, keys):
    """Return the sum of squared distances, from those of squares and of products."""
    squares, products = [], 0.0
    for some in keys.blocks:
        centred = keys.centred(keys=some)
        squares.append((centred**2).sum(axis=1))
        products += np.vdot(sums.rows[some], centred)
    return sums.square + sums.shares @ np.concatenate(squares) - 2 * products
