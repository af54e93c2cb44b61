"""Few rows that stand for many."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.solvers.svd._compressed_rows import _by_products, compressed


class Blocks(list):
    """Blocks of rows and the shape of all of them."""

    def __init__(self, A, n_rows):
        super().__init__(
            A[start : start + n_rows] for start in range(0, len(A), n_rows)
        )
        self._A, self.shape = A, A.shape

    def every(self, step):
        return self._A[::step]


def graded(kind, shape, decades):
    rng = np.random.default_rng(0)
    A = rng.standard_normal(shape) * 10.0 ** -np.linspace(0, decades, shape[1])
    if kind == "directions":
        A = A @ np.linalg.qr(rng.standard_normal((shape[1],) * 2))[0]
    return A


@pytest.mark.parametrize("n_rows", [7, 64, 5000])
@pytest.mark.parametrize("shape", [(5000, 1), (5000, 20), (100, 20)], ids=str)
@pytest.mark.parametrize("decades", [0, 6, 12, 20])
@pytest.mark.parametrize("kind", ["columns", "directions"])
def test_few_rows_have_the_singular_values_of_many(kind, shape, decades, n_rows):
    A = graded(kind, shape, decades)
    few = compressed(Blocks(A, n_rows))
    assert len(few) <= max(shape[1], 100)
    expected = np.linalg.svd(A, compute_uv=False)
    values = np.linalg.svd(few, compute_uv=False)
    assert_allclose(values[: shape[1]], expected, rtol=0, atol=1e-14 * expected[0])


@pytest.mark.parametrize("decades", [0, 6])
def test_products_have_the_digits_that_those_of_features_lose(decades):
    A = graded("directions", (5000, 20), decades)
    few = _by_products(Blocks(A, 1000))
    expected = np.linalg.svd(A, compute_uv=False)
    assert_allclose(np.linalg.svd(few, compute_uv=False), expected, rtol=1e-9)


def test_dependent_columns_stay_dependent():
    A = graded("directions", (5000, 20), 0)
    A[:, 12:] = A[:, :8]
    few = _by_products(Blocks(A, 1000))
    values = np.linalg.svd(few, compute_uv=False)
    assert (values[12:] < 1e-12 * values[0]).all()


def test_rows_unlike_those_picked_are_left_to_lapack():
    A = graded("directions", (5000, 20), 0)
    A[1:40] *= 1e12
    A[::62] = 0
    assert _by_products(Blocks(A, 5000)) is None
    expected = np.linalg.svd(A, compute_uv=False)
    values = np.linalg.svd(compressed(Blocks(A, 5000)), compute_uv=False)
    assert_allclose(values, expected, rtol=1e-9)


def test_rows_of_nothing_have_no_length():
    assert not compressed(Blocks(np.zeros((5000, 20)), 1000)).any()
