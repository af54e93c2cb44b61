"""Leading eigenpairs of products of features, by whatever finds them soonest."""

from contextlib import nullcontext

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackError, eigsh

from sksparse_nn.solvers._threads import single_threaded_blas
from sksparse_nn.solvers.svd._block_krylov import leading_eigenpairs

# Width of matrices that are too small for BLAS to take several threads.
_ONE_THREAD = 32

# Where a share of the eigenvectors is wanted, the rest of them is most of the work.
_SOME_FROM = 96
_SOME_SHARE = 8

# Where a few of many eigenvectors are wanted, iterating is faster,
# unless the spectrum is flat there: then passes run out, and LAPACK takes over.
_LANCZOS_FROM = 192
_ITERATE_FROM = 512
ITERATE_SHARE = 40
_EIGEN_TOL = 1e-8
_EIGEN_PASSES = 20
_OVERSAMPLING = 10
_RESTARTS = 8

# How exactly the largest of the eigenvalues that are left is looked for.
_LEFT_TOL = 1e-3

# Residuals up to which eigenvectors found in float32 do for products made in it: some
# ten times those of the rounding, and far below what products have to be certain to.
_SINGLE_TOL = 1e-5


def leading_of_stack(matrices, k, *, is_rough):
    """Find at least the k leading eigenpairs of each of some symmetric matrices.

    Parameters
    ----------
    matrices : ndarray of shape (n_matrices, width, width)
        Positive semidefinite, float64.

    k : int
        How many are wanted.

    is_rough : bool
        Whether the entries were rounded to float32 before.

    Returns
    -------
    values : sequence of ndarray of shape (n_found,)
        Falling eigenvalues of each matrix.

    vectors : sequence of ndarray of shape (width, n_found)
        Its orthonormal eigenvectors.

    residuals : sequence of ndarray of shape (n_found,)
        ``||A x - value x||`` of each; zeros where LAPACK found them.
    """
    width = matrices.shape[1]
    if width < _ITERATE_FROM and not (width >= _SOME_FROM and k * _SOME_SHARE <= width):
        with nullcontext() if width <= _ONE_THREAD else single_threaded_blas():
            values, vectors = np.linalg.eigh(matrices)
        return values[:, ::-1], vectors[:, :, ::-1], np.zeros_like(values)
    triplets = [_leading(matrix, k, is_rough) for matrix in matrices]
    return tuple(zip(*triplets, strict=True))


def _leading(matrix, k, is_rough):
    found = _by_iteration(matrix, k) if k * ITERATE_SHARE <= len(matrix) else None
    if found is None and is_rough and k * _SOME_SHARE <= len(matrix):
        found = _by_single_precision(matrix, k)
    return found or _by_lapack(matrix, min(k, len(matrix)))


def _by_iteration(matrix, k):
    if len(matrix) >= _ITERATE_FROM:
        return _by_block_krylov(matrix, k)
    return _by_lanczos(matrix, k) if len(matrix) >= _LANCZOS_FROM else None


def _by_block_krylov(matrix, k):
    start = np.random.default_rng(0).standard_normal((len(matrix), k + _OVERSAMPLING))
    floor = np.finfo(float).eps * np.trace(matrix)

    def is_close(values, residuals):
        return residuals <= np.maximum(_EIGEN_TOL * values, floor)

    pairs = leading_eigenpairs(matrix.__matmul__, start, k, is_close, _EIGEN_PASSES)
    return (pairs.values, pairs.vectors, pairs.residuals) if pairs.is_good else None


def _by_lanczos(matrix, k):
    """Iterate on one vector: faster where a product takes a moment, but less certain.

    Of an eigenvalue with copies it may find one only. So what is left of the matrix
    must have no eigenvalue as large as those that were found.
    """
    start = np.random.default_rng(0).standard_normal(len(matrix))
    settings = {"v0": start, "maxiter": _RESTARTS}
    try:
        values, vectors = eigsh(matrix, k, tol=_EIGEN_TOL, **settings)
        left = matrix - (vectors * values) @ vectors.T
        largest_left = eigsh(
            left, 1, tol=_LEFT_TOL, return_eigenvectors=False, **settings
        )
    except ArpackError:
        return None
    if not largest_left[0] <= values.min() * (1 + _EIGEN_TOL):
        return None
    return _refined(matrix, vectors)


def _by_single_precision(matrix, k):
    """Find eigenvectors in half the time, and their values and residuals in float64."""
    unit = np.trace(matrix) or 1.0  # lest an entry leave the range of the type
    _, found, _ = _by_lapack((matrix / unit).astype(np.float32), k)
    values, vectors, residuals = _refined(matrix, found.astype(np.float64))
    if (residuals <= _SINGLE_TOL * values).all():
        return values, vectors, residuals
    return None


def _refined(matrix, vectors):
    """Return the best eigenpairs in the span of vectors, and their residuals."""
    vectors = np.linalg.qr(vectors)[0]
    images = matrix @ vectors
    values, Y = np.linalg.eigh(vectors.T @ images)
    values, Y = values[::-1], Y[:, ::-1]
    vectors, unit = vectors @ Y, values[0] or 1.0  # lest a square leave the type
    rests = (images @ Y - values * vectors) / unit
    return values, vectors, unit * np.linalg.norm(rests, axis=0)


def _by_lapack(matrix, k):
    width = len(matrix)
    if k < width:
        values, vectors = eigh(matrix, subset_by_index=(width - k, width - 1))
    # Where all eigenvalues are the same, it may find none of a few that are wanted.
    if k == width or len(values) < k:
        values, vectors = eigh(matrix, driver="evd")
    return values[::-1], vectors[:, ::-1], np.zeros(len(values))
