"""Norms, whatever the scale."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.kernels.rows import normalise_csr_rows, normalise_rows


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [
        *[(np.float32, scale) for scale in (1e-38, 1e-20, 1, 1e20, 3e37)],
        *[(np.float64, scale) for scale in (1e-300, 1e-160, 1, 1e160, 3e307)],
    ],
)
def test_rows_of_any_scale_get_unit_norm(dtype, scale):
    base = np.random.default_rng(0).uniform(-1, 1, (5, 7))
    rows = (base * scale).astype(dtype)
    norms = np.empty(5)
    normalise_rows(rows, norms)
    rtol = 1e-6 if dtype == np.float32 else 1e-12
    assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=rtol)
    assert_allclose(norms / scale, np.linalg.norm(base, axis=1), rtol=rtol)


def test_zero_rows_stay_zero():
    rows, norms = np.zeros((2, 3)), np.ones(2)
    normalise_rows(rows, norms)
    assert_array_equal(rows, 0)
    assert_array_equal(norms, 0)


def test_rows_without_columns_have_norm_zero():
    norms = np.ones(2)
    normalise_rows(np.zeros((2, 0)), norms)
    assert_array_equal(norms, 0)


def test_csr_rows_are_normalised_one_by_one():
    data, norms = np.array([3.0, 4.0, 2.0]), np.empty(3)
    normalise_csr_rows(np.array([0, 2, 2, 3], np.int32), data, norms)
    assert_allclose(data, [0.6, 0.8, 1])
    assert_allclose(norms, [5, 0, 2])
