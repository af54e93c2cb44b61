"""Products by parts equal those with the matrix they stand for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sksparse_nn.solvers.svd._shifted_rows import ShiftedRows


@pytest.fixture(params=["dense", "sparse"])
def kind(request):
    return sparse.csr_array if request.param == "sparse" else np.asarray


@pytest.fixture(params=[False, True], ids=["raw", "centred"])
def center(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def weight(request):
    return np.linspace(0.5, 2, 20) if request.param else None


@pytest.fixture(name="A_and_naive")
def both_forms(kind, center, weight):
    X = np.random.default_rng(0).standard_normal((20, 7)) + 2
    w = np.ones(20) if weight is None else weight
    naive = X - np.average(X, axis=0, weights=w) * center
    return ShiftedRows(kind(X), weight, center, None), np.sqrt(w)[:, None] * naive


def test_energy_is_the_squared_norm(A_and_naive):
    A, naive = A_and_naive
    assert_allclose(A.unit**2 * A.energy, (naive**2).sum())


def test_features_are_multiplied(A_and_naive):
    A, naive = A_and_naive
    B = np.random.default_rng(1).standard_normal((7, 3))
    product, projected = A.times_features(B)
    assert_allclose(A.unit**2 * product, naive.T @ (naive @ B))
    assert_allclose(A.unit**2 * projected, (naive @ B).T @ (naive @ B))


def test_samples_are_multiplied(A_and_naive):
    A, naive = A_and_naive
    B = np.random.default_rng(1).standard_normal((20, 3))
    assert_allclose(A.unit**2 * A.times_samples(B), naive @ (naive.T @ B))
    assert_allclose(A.unit * A.samples_to_features(B), naive.T @ B)


@pytest.mark.parametrize("scale", [0, 1e-38, 1e38])
def test_the_unit_is_a_number_at_any_scale(scale):
    X = np.full((3, 2), scale, np.float32)
    A = ShiftedRows(X, None, False, None)
    assert_allclose(A.unit**2 * A.energy, 6 * scale**2, rtol=1e-5)
