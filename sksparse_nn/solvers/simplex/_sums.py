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
    """

    weight: float
    square: float
    n_nonzero: float
    codes: np.ndarray
    rows: np.ndarray

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
            Keys about the centre.

        Returns
        -------
        mean : float
            Not below zero.
        """
        own = self.shares @ (centred**2).sum(axis=1)
        total = self.square + own - 2 * np.vdot(self.rows, centred)
        return max(total, 0.0) / 2 / self.weight

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
    n_keys, n_features = keys.given.shape
    block = keys.block(X)
    codes = coding.encode(keys, block)
    values = codes.values[codes.used()].astype(np.float64)
    of_values = np.repeat(weights, codes.counts)
    A, B = np.zeros((n_keys, n_keys)), np.zeros((n_keys, n_features))
    add_code_products(*codes.entries, weights, A)
    block.rows.add_products(codes, weights, B)
    if isinstance(block.rows, SparseRows):
        shares = np.bincount(codes.indices[codes.used()], of_values * values, n_keys)
        B -= shares[:, None] * keys.centre
    return Sums(
        weights.sum(),
        weights @ keys.squares(block) * keys.scale**2,
        weights @ codes.counts,
        A,
        B,
    )
