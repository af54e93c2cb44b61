"""Factors of low rank of the matrix of a layer, by what its outputs lose."""

from dataclasses import dataclass

import numpy as np

# Variance that inputs have in all directions besides their own, in units of theirs.
# Where samples are few, directions that no output shows follow the weights.
_SHRINKAGE = 1e-6


@dataclass(frozen=True)
class LowRank:
    """Two factors of a matrix, and what is added to their products.

    Attributes
    ----------
    left : ndarray of shape (n_rows, rank)
        Left factor.

    right : ndarray of shape (rank, n_columns)
        Right factor.

    shift : ndarray of shape (n_rows,)
        Means of the products that the factors do not have.
    """

    left: np.ndarray
    right: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True)
class Directions:
    """Directions of a space, most important ones first.

    Attributes
    ----------
    basis : ndarray of float64 of shape (n_dimensions, n_directions)
        One per column, orthogonal and of unit norm.

    lost : ndarray of float64 of shape (n_directions + 1,)
        Share of the variance that is lost with the first 0, 1, 2, ... directions.
    """

    basis: np.ndarray
    lost: np.ndarray


def find_output_directions(weight, covariance):
    """Find the directions in which the products of a matrix vary most.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Matrix.

    covariance : ndarray of shape (n_rows, n_rows)
        Of its products with inputs of the layer.

    Returns
    -------
    directions : Directions
        At most as many as the smaller side of the matrix.
    """
    span = np.linalg.qr(weight.astype(np.float64))[0]
    inside = span.T @ covariance @ span
    squares = span.T @ weight
    found = find_directions(inside, squares @ squares.T)
    return Directions(span @ found.basis, found.lost)


def find_directions(covariance, prior):
    """Find the directions of most variance.

    Parameters
    ----------
    covariance : ndarray of shape (n, n)
        Of which the variance is.

    prior : ndarray of shape (n, n)
        Squares by which directions without variance are ranked.

    Returns
    -------
    directions : Directions
        All of them.
    """
    total, scale = np.trace(covariance), np.trace(prior)
    weight = _SHRINKAGE * total / scale if scale > 0 and total > 0 else 1.0
    basis = np.linalg.eigh(covariance + weight * prior)[1][:, ::-1]
    kept = np.einsum("ij,ij->j", basis, covariance @ basis).cumsum()
    shares = np.append(0, kept) / total if total > 0 else np.ones(len(kept) + 1)
    return Directions(basis, np.clip(1 - shares, 0, 1))


def project_outputs(weight, basis, mean):
    """Factorize a matrix by some directions of its products.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Matrix.

    basis : ndarray of shape (n_rows, rank)
        Directions.

    mean : ndarray of shape (n_rows,)
        Of its products with inputs of the layer.

    Returns
    -------
    factors : LowRank
        Of the float type of the matrix.
    """
    parts = basis, basis.T @ weight, mean - basis @ (basis.T @ mean)
    return LowRank(*(np.ascontiguousarray(part, weight.dtype) for part in parts))
