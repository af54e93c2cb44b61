"""Leading eigenvectors of a symmetric operator from a block Krylov space."""

from dataclasses import dataclass

import numpy as np


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
        Whether all have converged, or the space cannot grow further.
    """

    vectors: np.ndarray
    values: np.ndarray
    residuals: np.ndarray
    n_passes: int
    is_good: bool = False


def find_leading_eigenpairs(apply, start, k, is_close, max_passes):
    """Approximate the leading eigenpairs of a positive semidefinite operator.

    The best vectors are sought in the space of all blocks so far. It grows by the
    residuals of those that have not converged: converged ones cost no more products.

    Parameters
    ----------
    apply : callable
        Multiplies the operator by a matrix of shape (n, b).

    start : ndarray of shape (n, b)
        First block, with at least as many columns as the multiplicity of any wanted
        eigenvalue, or some are missed: `k` columns are safe. Its type is used
        throughout.

    k : int
        Number of pairs.

    is_close : callable
        Takes values and residuals and returns whether each pair has converged.

    max_passes : int
        Maximum number of applications of the operator.

    Returns
    -------
    pairs : RitzPairs
        The wanted pairs and up to a fifth more, or five, that were improved with them.

    References
    ----------
    C. Musco, C. Musco, "Randomized Block Krylov Methods for Stronger and Faster
    Approximate Singular Value Decomposition", NeurIPS 2015.
    """
    space, block, n_pairs = _Space(start), start, k + max(5, k // 5)
    pairs = RitzPairs(start[:, :0], np.empty(0), np.empty(0), 0)
    for n_passes in range(1, max_passes + 1):
        block = space.new_directions(block)
        if not block.size:
            pairs.is_good = True
            break
        space.add(block, apply(block))
        pairs, rests = space.find_ritz_pairs(n_pairs, n_passes)
        is_good = is_close(pairs.values, pairs.residuals) | _are_rounding(pairs)
        pairs.is_good = space.is_full or is_good[:k].all()
        if pairs.is_good:
            break
        block = rests[:, ~is_good]
    return pairs


class _Space:
    """An orthonormal basis, its images, and the operator's projection on it."""

    def __init__(self, start):
        n, b = start.shape
        self.n_columns = 0
        self._basis = np.empty((n, min(n, 4 * b)), start.dtype, order="F")
        self._images = np.empty_like(self._basis)
        self._projected = np.zeros((0, 0))

    @property
    def basis(self):
        return self._basis[:, : self.n_columns]

    @property
    def images(self):
        return self._images[:, : self.n_columns]

    @property
    def is_full(self):
        return self.n_columns == len(self._basis)

    def new_directions(self, block):
        """Return an orthonormal basis of the directions that a block adds."""
        block = block / np.linalg.norm(block, axis=0).clip(np.finfo(block.dtype).tiny)
        for _ in range(2):
            block = block - self.basis @ (self.basis.T @ block)
            block = _orthonormalise(block)
        return block[:, : len(block) - self.n_columns]

    def add(self, block, image):
        m, n_columns = self.n_columns, self.n_columns + block.shape[1]
        if n_columns > self._basis.shape[1]:
            self._basis, self._images = map(_widen, (self._basis, self._images))
        self._basis[:, m:n_columns], self._images[:, m:n_columns] = block, image
        self.n_columns = n_columns
        corner = self.basis.T @ self.images[:, m:]
        grown = np.empty((n_columns, n_columns))
        grown[:m, :m] = self._projected
        grown[:, m:] = corner
        grown[m:, :m] = corner[:m].T
        self._projected = grown

    def find_ritz_pairs(self, k, n_passes):
        """Return the best pairs in the space, and their residual vectors."""
        # All of them: for small matrices this is faster than finding some.
        values, Y = np.linalg.eigh(self._projected)
        values, Y = values[: -k - 1 : -1], Y[:, : -k - 1 : -1].astype(self.basis.dtype)
        vectors = self.basis @ Y
        rests = self.images @ Y - vectors * values.astype(Y.dtype)
        residuals = np.linalg.norm(rests, axis=0)
        return RitzPairs(vectors, values, residuals, n_passes), rests


def _are_rounding(pairs):
    eps = np.finfo(pairs.vectors.dtype).eps
    return pairs.residuals <= 8 * eps * pairs.values.max(initial=0.0)


def _widen(columns):
    n, width = columns.shape
    wider = np.empty((n, min(n, 2 * width)), columns.dtype, order="F")
    wider[:, :width] = columns
    return wider


def _orthonormalise(block):
    """Return an orthonormal basis of columns, without nearly dependent directions.

    The eigenvectors of their products are about ten times as fast as a QR decomposition
    of a tall block.
    """
    values, Q = np.linalg.eigh((block.T @ block).astype(np.float64))
    # Dropped directions return with the residuals of the next pass.
    is_new = values > np.sqrt(np.finfo(block.dtype).eps) * values.max(initial=0.0)
    return block @ (Q[:, is_new] / np.sqrt(values[is_new])).astype(block.dtype)
