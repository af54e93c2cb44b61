"""A weight matrix as the product of a tall and a wide one."""

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


def factorized_for(weight, inputs, lost):
    """Factorize a matrix so that its answers to given inputs are nearly kept.

    The directions are those of a truncated SVD of the answers.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Matrix.

    inputs : ndarray of shape (n_samples, n_columns)
        What it is applied to.

    lost : float
        Share of the squared norm of the answers that may be lost, between 0 and 1.

    Returns
    -------
    factors : LowRank or None
        None where the factors would hold as many numbers as the matrix, or more.
    """
    found = _decomposed(inputs @ weight.T, 1 - lost)
    if not _pays(weight.shape, len(found)):
        return None
    left = np.ascontiguousarray(found.T)
    return LowRank(left, np.ascontiguousarray(left.T @ weight))


def factorized(weight, rank):
    """Factorize a matrix by a truncated SVD, if that makes it smaller.

    Parameters
    ----------
    weight : ndarray of shape (n_rows, n_columns)
        Matrix.

    rank : int or float
        Number of directions, or share of the squared norm to keep.

    Returns
    -------
    factors : LowRank or None
        None where the factors would hold as many numbers as the matrix, or more.
    """
    if isinstance(rank, int) and not _pays(weight.shape, rank):
        return None
    right = _decomposed(weight, rank)
    if not _pays(weight.shape, len(right)):
        return None
    return LowRank(np.ascontiguousarray(weight @ right.T), np.ascontiguousarray(right))


def _decomposed(matrix, rank):
    """Return the right singular vectors that a rule asks for, one a row."""
    rows = WeightedRows(matrix, None, partition_features(None, matrix.shape[1]))
    solver, rule = ExactSolver(), rank_rule(rank)
    return decompose(solver, solver.prepare(rows), rows.partition, rule).components


def _pays(shape, rank):
    n_rows, n_columns = shape
    return rank * (n_rows + n_columns) < n_rows * n_columns
