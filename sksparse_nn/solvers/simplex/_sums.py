"""Sums over the codes of all rows, which keys and values are fitted from."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.statistics import add_code_products
from sksparse_nn.solvers._rows import SparseRows, block_slices
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.coding import Codes
from sksparse_nn.solvers.simplex._keys import Block, Keys

# Up to this size of the keys each block of rows has its own sums, on threads.
_FEW = 2**21


@dataclass
class Sums:
    """Weighted sums over rows x about the centre of the keys and their codes c.

    Parameters
    ----------
    weight : float
        Sum of the weights.

    square : float
        Sum of |x|^2.

    n_nonzero : float
        Sum of the numbers of nonzeros of c.

    A : ndarray of shape (n_keys, n_keys)
        Sum of c' c.

    B : ndarray of shape (n_keys, n_features)
        Sum of c' x.

    distance : float
        Sum of half the squared distances to the keys, weighted by c.

    n_hidden : int
        Number of rows whose products do not distinguish the keys.
    """

    weight: float
    square: float
    n_nonzero: float
    A: np.ndarray
    B: np.ndarray
    distance: float
    n_hidden: int

    @property
    def shares(self):
        """Sum of c, of shape (n_keys,); the entries of each c add up to one."""
        return self.A.sum(axis=1)

    def merge(self, other):
        """Return the sums over the rows of both, about one centre.

        Parameters
        ----------
        other : Sums
            Over the codes of other rows.

        Returns
        -------
        sums : Sums
            New.
        """
        known = vars(self).items()
        return Sums(**{name: value + getattr(other, name) for name, value in known})

    def shift(self, step):
        """Return the sums over rows to each of which a step is added.

        Parameters
        ----------
        step : ndarray of shape (n_features,)
            The old centre minus the new one.

        Returns
        -------
        sums : Sums
            New.
        """
        square = self.square + step @ (2 * self.B.sum(axis=0) + self.weight * step)
        return replace(self, square=square, B=self.B + np.outer(self.shares, step))

    def reorder(self, order):
        """Return the sums of codes whose keys stand in another order.

        Parameters
        ----------
        order : ndarray of shape (n_keys,)
            Former place of each key.

        Returns
        -------
        sums : Sums
            New.
        """
        return replace(self, A=self.A[np.ix_(order, order)], B=self.B[order])

    def mean_distance(self, keys):
        """Return the mean over rows of half the squared distances, weighted by codes.

        Parameters
        ----------
        keys : Keys
            Keys of the codes.

        Returns
        -------
        mean : float
            At least zero.
        """
        if self.n_hidden:
            return self.distance / self.weight
        return max(_expand_distance(self, keys), 0.0) / 2 / self.weight

    def mean_error(self, centred, blocks):
        """Return the mean over rows of half the squared error of reconstruction.

        Parameters
        ----------
        centred : callable
            Takes a slice of features, and returns these of keys or values, about the
            centre.

        blocks : list of slice
            Slices of all features.

        Returns
        -------
        mean : float
            At least zero.
        """
        total = self.square
        for some in blocks:
            part = centred(some)
            total += np.vdot(self.A @ part - 2 * self.B[:, some], part)
        return max(total, 0.0) / 2 / self.weight


def sum_over(coding, keys, X, weights, n_jobs=None):
    """Code all rows and sum over the codes.

    Parameters
    ----------
    coding : Nearest, Step or Converged
        Method of coding.

    keys : Keys
        The keys.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of the type of the keys.

    weights : ndarray of shape (n_samples,)
        Weights of the rows.

    n_jobs : int or None, default=None
        Number of threads; the result does not depend on it.

    Returns
    -------
    sums : Sums
        In the units of the data.
    """
    few = keys.given.size <= _FEW

    def of_block(which):
        coded = _CodedBlock.of(coding, keys, X[which], weights[which])
        return coded.sum() if few else coded

    blocks = map_in_order(of_block, block_slices(len(weights)), n_jobs)
    if not few:
        return _add_up(keys, blocks)
    sums = next(blocks)
    for block in blocks:
        _add_in_place(sums, block)
    return sums


def _add_up(keys, blocks):
    """Add coded blocks to one set of sums, since sums over wide keys are large."""
    n_keys, shape = len(keys.given), keys.given.shape
    total = Sums(0.0, 0.0, 0.0, np.zeros((n_keys, n_keys)), np.zeros(shape), 0.0, 0)
    for coded in blocks:
        if coded.is_hidden and not total.n_hidden:
            total.distance = _expand_distance(total, keys) / 2
        if coded.is_hidden or total.n_hidden:
            _add_in_place(total, coded.sum())
        else:  # the distance follows from the other sums
            _add_in_place(total, coded.sum_without_products())
            coded.add_products(total.B)
    return total


def _add_in_place(total, sums):
    """Add sums to a total that nobody else has, as both may be large."""
    for name, value in vars(sums).items():
        if value is not None:
            added = getattr(total, name)
            added += value
            setattr(total, name, added)


class _CodedBlock(NamedTuple):
    """A block of rows and their codes."""

    keys: Keys
    X: np.ndarray | sparse.csr_matrix
    weights: np.ndarray
    block: Block
    codes: Codes

    @classmethod
    def of(cls, coding, keys, X, weights):
        block = keys.read_block(X)
        return cls(keys, X, weights, block, coding.encode(keys, block))

    @property
    def is_hidden(self):
        return self.block.hidden is not None

    def sum(self):
        keys, codes, sums = self.keys, self.codes, self.sum_without_products()
        sums.B = np.zeros(keys.given.shape)
        self.add_products(sums.B)
        if self.is_hidden:
            halves = keys.half_distances(self.block)
            halves = (codes.dense(len(keys.given)) * halves).sum(axis=1)
            sums.distance = self.weights @ halves * keys.scale**2
        else:
            sums.distance = _expand_distance(sums, keys) / 2
        return sums

    def sum_without_products(self):
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
        else:  # centred rows of single precision have lost digits
            B += (codes.dense(n_keys) * weights[:, None]).T @ self.X.astype(np.float64)
        if are_sparse or self.is_hidden:
            values = codes.values[codes.used()].astype(np.float64)
            of_values = np.repeat(weights, codes.counts)
            indices = codes.indices[codes.used()]
            shares = np.bincount(indices, of_values * values, n_keys)
            for row, share in zip(B, shares, strict=True):
                row -= share * self.keys.centre.astype(np.float64)


def _expand_distance(sums, keys):
    """Return the sum of squared distances by expanding the squares."""
    if keys.given.size <= _FEW:  # they are read for each block
        products = np.vdot(sums.B, keys.centred)
    else:
        parts = ((some, keys.read_centred(keys=some)) for some in keys.blocks)
        products = sum(np.vdot(sums.B[some], part) for some, part in parts)
    squares = 2 * keys.halves * keys.scale**2
    return sums.square + sums.shares @ squares - 2 * products
