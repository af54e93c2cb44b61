"""A Cholesky factor that grows and shrinks against one made anew."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.kernels.cholesky import (
    append_row,
    drop_row,
    solve_lower,
    solve_upper,
)


@pytest.fixture
def matrix():
    rows = np.random.default_rng(0).standard_normal((7, 12))
    return rows @ rows.T


def test_appending_row_by_row_is_the_factor_of_the_whole(matrix):
    L = np.zeros((7, 7))
    for m in range(7):
        z = matrix[m].copy()
        solve_lower(L, m, z)
        append_row(L, m, z, matrix[m, m] - z[:m] @ z[:m])
    assert_allclose(L, np.linalg.cholesky(matrix), atol=1e-12)


@pytest.mark.parametrize("gone", range(7))
def test_dropping_a_row_is_the_factor_without_it(matrix, gone):
    L = np.linalg.cholesky(matrix)
    drop_row(L, 7, gone)
    kept = np.delete(np.arange(7), gone)
    expected = np.linalg.cholesky(matrix[np.ix_(kept, kept)])
    assert_allclose(np.tril(L[:6, :6]), expected, atol=1e-12)


def test_two_solves_are_the_solution_of_the_system(matrix):
    b = np.arange(7.0)
    z = b.copy()
    L = np.linalg.cholesky(matrix)
    solve_lower(L, 7, z)
    solve_upper(L, 7, z)
    assert_allclose(z, np.linalg.solve(matrix, b), atol=1e-12)
