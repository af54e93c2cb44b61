"""Coordinates by groups equal those by whole matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn.solvers.svd import Projector

LABELS = {
    "one group": np.zeros(12, int),
    "equal groups": np.arange(12) // 3,
    "a smaller last group": np.arange(12) // 5,
    "scattered groups": np.array([0, 1, 2, 0, 1, 2, 1, 1, 0, 2, 2, 1]),
}
COUNTS = {"equal": [2, 2, 2, 2], "ragged": [1, 0, 2, 1]}


@pytest.fixture(params=LABELS)
def labels(request):
    return LABELS[request.param]


@pytest.fixture(params=COUNTS)
def components(request, labels):
    """Return rows that are zero outside their group, and their groups."""
    counts = COUNTS[request.param][: labels.max() + 1]
    groups = np.repeat(np.arange(len(counts)), counts)
    V = np.random.default_rng(0).standard_normal((len(groups), 12))
    V[groups[:, None] != labels] = 0
    return V, groups


@pytest.fixture(name="X", params=[np.float32, np.float64])
def rows_with_zeros(request):
    X = np.random.default_rng(1).standard_normal((30, 12)).astype(request.param)
    X[np.abs(X) < 0.5] = 0
    return X


MEANS = {"no mean": np.zeros(12), "mean": np.linspace(0.0, 3, 12)}
every_mean = pytest.mark.parametrize("mean", MEANS.values(), ids=MEANS)


def projector(components, labels, mean, *, is_scaled=False):
    V, groups = components
    scale = np.linspace(0, 2, len(V)) if is_scaled else None
    return Projector(V, groups, labels, mean=mean, scale=scale)


@every_mean
@pytest.mark.parametrize("is_sparse", [False, True])
def test_coordinates_are_a_product(components, labels, X, mean, is_sparse):
    data = sparse.csr_array(X) if is_sparse else X
    Z = projector(components, labels, mean).project(data)
    atol = 50 * np.finfo(X.dtype).eps
    assert Z.dtype == X.dtype
    assert_allclose(Z, (X - mean) @ components[0].T, rtol=1e-4, atol=atol)


@every_mean
def test_rows_are_restored_by_a_product(components, labels, X, mean):
    Z = X[:, : len(components[0])]
    restored = projector(components, labels, mean).restore(Z)
    assert restored.dtype == X.dtype
    assert_allclose(restored, Z @ components[0] + mean, rtol=1e-4, atol=1e-5)


@every_mean
def test_a_scale_of_zero_gives_zero(components, labels, X, mean):
    plain = projector(components, labels, mean).project(X)
    scaled = projector(components, labels, mean, is_scaled=True).project(X)
    scale = np.linspace(0, 2, len(components[0]))
    assert not scaled[:, scale == 0].any()
    assert_allclose(scaled[:, 1:] * scale[1:], plain[:, 1:], rtol=1e-4, atol=1e-5)


def test_threads_and_layout_do_not_change_a_bit(components, labels, X):
    p = projector(components, labels, MEANS["mean"])
    expected = p.project(X, n_jobs=1)
    assert_array_equal(p.project(X, n_jobs=2), expected)
    assert_array_equal(p.project(np.asfortranarray(X), n_jobs=1), expected)


def test_a_large_mean_costs_no_digits_in_float32():
    V, mean = np.eye(12)[:2], np.full(12, 1e4 + 1e-4)
    X = (mean + np.random.default_rng(0).standard_normal((5, 12))).astype(np.float32)
    p = Projector(V, np.zeros(2, int), np.zeros(12, int), mean=mean, scale=None)
    assert_allclose(p.project(X), (X - mean)[:, :2], rtol=1e-5)
