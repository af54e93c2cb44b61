"""What codes leave of rows, by differences, where products round too much."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order

_NUMBERS = 2**20  # largest number of values of dense rows at a time


class Left(NamedTuple):
    """Weighted sums over rows x, their codes c and keys K, in units of the data."""

    error: float  # of |x - c K|^2
    pulls: np.ndarray  # (n_keys, n_features), of c' (x - c K)

    def error_of(self, steps, A):
        """Return the error after the keys have taken steps.

        Parameters
        ----------
        steps : ndarray of shape (n_keys, n_features)
            What is added to the keys.

        A : ndarray of shape (n_keys, n_keys)
            Sum of c' c.

        Returns
        -------
        error : float
            Sum of the squared errors.
        """
        return self.error + np.vdot(A @ steps - 2 * self.pulls, steps)


def measure_left(coding, keys, X, weights, n_jobs=None):
    """Code rows, and sum what the codes leave of them.

    Next to a huge entry, sums of products of rows and codes lose the digits of the
    others. Differences keep them.

    Parameters
    ----------
    coding : Step or Converged
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
    left : Left
        The sums.
    """

    def of_block(which):
        rows, of_rows = X[which], weights[which]
        codes = coding.encode(keys, keys.read_block(rows)).dense(len(keys.given))
        return _sum_left(keys, rows, codes.astype(np.float64), of_rows)

    total = Left(0.0, np.zeros(keys.given.shape))
    for error, pulls in map_in_order(of_block, block_slices(len(weights)), n_jobs):
        total.pulls[:] += pulls
        total = total._replace(error=total.error + error)
    return Left(total.error * keys.scale**2, total.pulls * keys.scale)


def _sum_left(keys, X, codes, weights):
    error, pulls = 0.0, np.zeros(keys.given.shape)
    for some in block_slices(len(codes), max(1, _NUMBERS // X.shape[1])):
        left = _subtract(keys, X[some], codes[some])
        error += float(weights[some] @ np.einsum("ij,ij->i", left, left))
        pulls += (codes[some] * weights[some, None]).T @ left
    return error, pulls


def _subtract(keys, X, codes):
    """Return the sum of the differences from all keys, each times its share."""
    X = X.toarray() if sparse.issparse(X) else X
    X = X.astype(np.float64) / keys.scale
    left = np.zeros(X.shape)
    for key in np.flatnonzero(codes.any(axis=0)):
        point = keys.given[key].astype(np.float64) / keys.scale
        left += codes[:, key, None] * (X - point)
    return left
