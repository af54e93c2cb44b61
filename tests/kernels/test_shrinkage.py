"""One-look codes against their definitions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.solvers.coding import (
    HardThreshold,
    SoftThreshold,
    TopK,
    Triangle,
    encode,
)


@pytest.fixture(params=[np.float32, np.float64])
def problem(request):
    rng = np.random.default_rng(0)
    D = rng.standard_normal((9, 5))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    return rng.standard_normal((33, 5)).astype(request.param), D.astype(request.param)


def close(coder, problem, expected):
    X, D = problem
    atol = 1e-5 if X.dtype == np.float32 else 1e-12
    assert_allclose(encode(coder, D, X, sparse_output=False), expected, atol=atol)


def test_threshold_keeps_large_products(problem):
    products = problem[0] @ problem[1].T
    close(HardThreshold(0.7), problem, np.where(np.abs(products) > 0.7, products, 0))


def test_soft_threshold_is_the_proximal_operator_of_the_l1_norm(problem):
    products = problem[0] @ problem[1].T
    shrunk = np.sign(products) * np.maximum(np.abs(products) - 0.7, 0)
    close(SoftThreshold(0.7), problem, shrunk)


def test_positive_soft_threshold_drops_negative_products(problem):
    products = problem[0] @ problem[1].T
    close(SoftThreshold(0.7, True), problem, np.maximum(products - 0.7, 0))


@pytest.mark.parametrize("k", [1, 3, 8, 9, 20])
def test_top_k_keeps_the_k_largest_products(problem, k):
    products = problem[0] @ problem[1].T
    level = np.sort(np.abs(products), axis=1)[:, -min(k, 9)][:, None]
    close(TopK(k), problem, np.where(np.abs(products) >= level, products, 0))


def test_top_k_of_equal_products_keeps_the_first():
    codes = encode(TopK(2), np.eye(4), np.ones((1, 4)), sparse_output=False)
    assert_allclose(codes, [[1, 1, 0, 0]])


def test_triangle_is_mean_distance_less_distance(problem):
    X, D = problem
    distances = np.linalg.norm(X[:, None] - D, axis=2)
    means = distances.mean(axis=1, keepdims=True)
    close(Triangle(), problem, np.maximum(means - distances, 0))


def test_triangle_takes_the_norms_of_atoms_into_account():
    rng = np.random.default_rng(1)
    X, D = rng.standard_normal((10, 4)), 3 * rng.standard_normal((6, 4))
    distances = np.linalg.norm(X[:, None] - D, axis=2)
    means = distances.mean(axis=1, keepdims=True)
    codes = encode(Triangle(), D, X, sparse_output=False)
    assert_allclose(codes, np.maximum(means - distances, 0), atol=1e-12)
