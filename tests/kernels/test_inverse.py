"""An inverse that grows and shrinks against one made anew."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.kernels.inverse import append_row, drop_row, times_vector


@pytest.fixture
def matrix():
    rows = np.random.default_rng(0).standard_normal((7, 12))
    return rows @ rows.T


def test_appending_row_by_row_is_the_inverse_of_the_whole(matrix):
    P, u = np.full((9, 9), np.nan), np.empty(9)
    for m in range(7):
        times_vector(P, m, matrix[m], u)
        append_row(P, m, u, matrix[m, m] - matrix[m, :m] @ u[:m])
    assert_allclose(P[:7, :7], np.linalg.inv(matrix), atol=1e-12)


@pytest.mark.parametrize("gone", range(7))
def test_dropping_a_row_puts_the_last_one_in_its_place(matrix, gone):
    P = np.linalg.inv(matrix)
    drop_row(P, 7, gone)
    kept = np.arange(7)
    kept[gone] = 6
    kept = kept[:6]
    expected = np.linalg.inv(matrix[np.ix_(kept, kept)])
    assert_allclose(P[:6, :6], expected, atol=1e-12)


@pytest.mark.parametrize("m", range(1, 8))
def test_a_product_is_that_of_the_first_rows_and_columns(matrix, m):
    g, u = np.arange(7.0), np.empty(7)
    times_vector(matrix, m, g, u)
    assert_allclose(u[:m], matrix[:m, :m] @ g[:m])
