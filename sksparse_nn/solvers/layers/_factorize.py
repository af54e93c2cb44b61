"""Factorization of a weight matrix into a tall and a wide one."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.svd import (
    ExactSolver,
    WeightedRows,
    decompose,
    partition_features,
    rank_rule,
)


@dataclass(frozen=True)
class LowRank:
    """Two factors of a matrix.

    Attributes
    ----------
    left : ndarray of shape (n_rows, rank)
        Left factor.

    right : ndarray of shape (rank, n_columns)
        Right factor.
    """

    left: np.ndarray
    right: np.ndarray


def factorize_for_products(weight, products, lost):
    """Factorize a matrix so that its products with some inputs are nearly kept.

    The directions are those of a truncated SVD of the products.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Matrix.

    products : ndarray of shape (n_products, n_rows)
        Products of the matrix with inputs of the layer.

    lost : float
        Share of the squared norm of the products that may be lost, between 0 and 1.

    Returns
    -------
    factors : LowRank or None
        None if the factors do not hold fewer numbers than the matrix.
    """
    found = _find_directions(products, 1 - lost)
    if not _is_smaller(weight.shape, len(found)):
        return None
    left = np.ascontiguousarray(found.T)
    return LowRank(left, np.ascontiguousarray(left.T @ weight))


def factorize_matrix(weight, rank):
    """Factorize a matrix by truncated SVD, if that makes it smaller.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Matrix.

    rank : int or float
        Number of directions, or share of the squared norm to keep.

    Returns
    -------
    factors : LowRank or None
        None if the factors do not hold fewer numbers than the matrix.
    """
    if isinstance(rank, int) and not _is_smaller(weight.shape, rank):
        return None
    right = _find_directions(weight, rank)
    if not _is_smaller(weight.shape, len(right)):
        return None
    return LowRank(np.ascontiguousarray(weight @ right.T), np.ascontiguousarray(right))


def _find_directions(matrix, rank):
    """Return the leading right singular vectors as rows."""
    rows = WeightedRows(matrix, None, partition_features(None, matrix.shape[1]))
    solver, rule = ExactSolver(), rank_rule(rank)
    return decompose(solver, solver.prepare(rows), rows.partition, rule).components


def _is_smaller(shape, rank):
    n_rows, n_columns = shape
    return rank * (n_rows + n_columns) < n_rows * n_columns
