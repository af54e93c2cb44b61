"""Eigenpairs of products of features whose lengths differ by many decades."""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, svd


def find_graded(matrix):
    """Find eigenpairs from the cosines and the lengths of the features.

    The Cholesky factor of the cosines keeps its digits if no feature is nearly a sum of
    others, whatever their lengths. So small eigenvalues lose digits by the ratio of
    singular values, not by that of their squares.

    Parameters
    ----------
    matrix : ndarray of shape (width, width)
        Positive semidefinite, float64.

    Returns
    -------
    values : ndarray of shape (n_found,)
        Falling eigenvalues; none if the matrix is singular up to rounding.

    vectors : ndarray of shape (width, n_found)
        Orthonormal eigenvectors.

    References
    ----------
    J. Demmel, K. Veselic, "Jacobi's Method is More Accurate than QR", SIAM Journal on
    Matrix Analysis and Applications 13(4), 1992.
    """
    lengths = np.sqrt(np.diagonal(matrix))
    nothing = np.empty(0), np.empty((len(matrix), 0))
    if not lengths.all():
        return nothing
    try:
        factor = cholesky(matrix / lengths / lengths[:, None])
    except LinAlgError:
        return nothing
    _, values, V = svd(factor * lengths, full_matrices=False)
    return values**2, V.T
