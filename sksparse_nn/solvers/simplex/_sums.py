"""What keys and values are fitted from: sums over the codes of all rows."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels.statistics import add_code_products
from sksparse_nn.solvers._rows import SparseRows, block_slices
from sksparse_nn.solvers._threads import map_in_order


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
        """Add the sums over other rows."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def mean_distance(self, centred):
        """Return the mean over rows of half the squared distances, weighted by codes.

        Parameters
        ----------
        centred : ndarray of shape (n_keys, n_features)
            The keys that the rows were coded with, about the centre.

        Returns
        -------
        mean : float
            Not below zero.
        """
        if self.n_hidden:
            return self.distance / self.weight
        return max(_expanded(self, centred), 0.0) / 2 / self.weight

    def mean_error(self, centred):
        """Return the mean over rows of half the square of what codes times keys leave.

        Parameters
        ----------
        centred : ndarray of shape (n_keys, n_features)
            Keys or values about the centre.

        Returns
        -------
        mean : float
            Not below zero.
        """
        total = self.square + np.vdot(self.codes @ centred - 2 * self.rows, centred)
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

    def of_block(which):
        return _sums(coding, keys, X[which], weights[which])

    blocks = map_in_order(of_block, block_slices(len(weights)), n_jobs)
    sums = next(blocks)
    for block in blocks:
        sums.add(block)
    return sums


def _sums(coding, keys, X, weights):
    n_keys = len(keys.given)
    block = keys.block(X)
    codes = coding.encode(keys, block)
    A = np.zeros((n_keys, n_keys))
    add_code_products(*codes.entries, weights, A)
    B = _row_products(keys, X, block, codes, weights)
    square = weights @ keys.squares(block) * keys.scale**2
    sums = Sums(weights.sum(), square, weights @ codes.counts, A, B, 0.0, 0)
    if block.hidden is None:
        sums.distance = _expanded(sums, keys.centred) / 2
    else:
        halves = (codes.dense(n_keys) * keys.half_distances(block)).sum(axis=1)
        sums.distance = weights @ halves * keys.scale**2
        sums.n_hidden = len(block.hidden)
    return sums


def _row_products(keys, X, block, codes, weights):
    """Return the sum of c' x about the centre."""
    n_keys, is_sparse = len(keys.given), isinstance(block.rows, SparseRows)
    B = np.zeros(keys.given.shape)
    if is_sparse or block.hidden is None:
        block.rows.add_products(codes, weights, B)
    else:  # about the centre, rows of single precision have lost digits
        B += (codes.dense(n_keys) * weights[:, None]).T @ X.astype(np.float64)
    if is_sparse or block.hidden is not None:
        values = codes.values[codes.used()].astype(np.float64)
        of_values = np.repeat(weights, codes.counts)
        shares = np.bincount(codes.indices[codes.used()], of_values * values, n_keys)
        B -= shares[:, None] * keys.centre
    return B


def _expanded(sums, centred):
    """Return the sum of squared distances, from those of squares and of products."""
    own = sums.shares @ (centred**2).sum(axis=1)
    return sums.square + own - 2 * np.vdot(sums.rows, centred)
