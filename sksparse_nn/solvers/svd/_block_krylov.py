"""Leading eigenvectors of a symmetric operator from a block Krylov space."""

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import eigh

# Columns of a new block that keep less than this of their length are dependent.
_DEPENDENT = 1e-14

# Diagonal of a Cholesky factor of unit columns below which two rounds of it leave the
# columns less than orthogonal.
_NEARLY_DEPENDENT = 1e-6


@dataclass
class RitzPairs:
    """Approximate eigenpairs, largest first.

    Attributes
    ----------
    vectors : ndarray of shape (n, k)
        Orthonormal columns.

    values : ndarray of shape (k,)
        Rayleigh quotients.

    residuals : ndarray of shape (k,)
        ``||A x - value x||``.

    n_passes : int
        Times the operator was applied.

    is_good : bool
        Whether all are good enough, or the operator reaches nothing further.
    """

    vectors: np.ndarray
    values: np.ndarray
    residuals: np.ndarray
    n_passes: int
    is_good: bool = False


@dataclass
class _Space:
    basis: np.ndarray
    images: np.ndarray
    projected: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def add(self, block, image):
        self.basis = np.hstack([self.basis, block])
        self.images = np.hstack([self.images, image])
        corner = self.basis.T @ image
        m = len(self.projected)
        grown = np.empty((len(corner), len(corner)))
        grown[:m, :m] = self.projected
        grown[:, m:] = corner
        grown[m:, :m] = corner[:m].T
        self.projected = grown

    def ritz_pairs(self, k):
        m = len(self.projected)
        low = max(m - k, 0)
        values, Y = eigh(self.projected, subset_by_index=(low, m - 1))
        values, Y = values[::-1], Y[:, ::-1]
        vectors = self.basis @ Y
        residuals = np.linalg.norm(self.images @ Y - vectors * values, axis=0)
        return vectors, values, residuals


def leading_eigenpairs(apply, start, k, is_close, max_passes):
    """Approximate the leading eigenpairs of a positive semidefinite operator.

    All blocks that were computed are kept and searched for the best vectors, which
    takes far fewer passes than to keep the last one only.

    Parameters
    ----------
    apply : callable
        Multiplies the operator by a float64 matrix of shape (n, b).

    start : ndarray of shape (n, b)
        Random block, b at least k.

    k : int
        Number of pairs.

    is_close : callable
        Takes values and residuals and tells of each pair whether it is good enough.

    max_passes : int
        Limit on the applications.

    Returns
    -------
    pairs : RitzPairs
        At most k.

    References
    ----------
    C. Musco, C. Musco, "Randomized Block Krylov Methods for Stronger and Faster
    Approximate Singular Value Decomposition", NeurIPS 2015.
    """
    n = len(start)
    space = _Space(np.empty((n, 0)), np.empty((n, 0)))
    pairs = RitzPairs(np.empty((n, 0)), np.empty(0), np.empty(0), 0)
    block = start
    for n_passes in range(1, max_passes + 1):
        block = _new_directions(block, space.basis)
        if not block.size:
            pairs.is_good = True
            return pairs
        image = apply(block)
        space.add(block, image)
        pairs = RitzPairs(*space.ritz_pairs(k), n_passes)
        is_full = space.basis.shape[1] == n
        pairs.is_good = is_full or is_close(pairs.values, pairs.residuals).all()
        if pairs.is_good:
            break
        block = image
    return pairs


def _new_directions(block, basis):
    """Return an orthonormal basis of what the block adds, at most what fits."""
    lengths = np.linalg.norm(block, axis=0)
    for _ in range(2):
        block = block - basis @ (basis.T @ block)
    rests = np.linalg.norm(block, axis=0)
    is_new = rests > _DEPENDENT * lengths
    if not is_new.any():
        return block[:, :0]
    # Of length one: else the first direction found drowns those after it.
    block = block[:, is_new] / rests[is_new]
    Q = _orthonormal(block)[:, : len(basis) - basis.shape[1]]
    # Once more: what was a small rest is now blown up to length one.
    return _orthonormal(Q - basis @ (basis.T @ Q))


def _orthonormal(block):
    """Return an orthonormal basis of unit columns, without those that depend on others.

    By the Cholesky factor of their products, twice: for tall blocks that is some ten
    times as fast as a QR decomposition, which takes over where columns nearly depend.

    References
    ----------
    Y. Yamamoto, Y. Nakatsukasa, Y. Yanagisawa, T. Fukaya, "Roundoff error analysis of
    the CholeskyQR2 algorithm", Electronic Transactions on Numerical Analysis 44, 2015.
    """
    Q = block
    for _ in range(2):
        try:
            L = np.linalg.cholesky(Q.T @ Q)
        except np.linalg.LinAlgError:
            return _by_qr(block)
        if np.diagonal(L).min() < _NEARLY_DEPENDENT:
            return _by_qr(block)
        Q = Q @ np.linalg.inv(L).T  # a product is faster than to solve for a tall block
    return Q


def _by_qr(block):
    Q, R = np.linalg.qr(block)
    return Q[:, np.abs(np.diagonal(R)) > _DEPENDENT]
