"""Pursuit kernels against pursuits written down as they are defined."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.kernels.pursuit import largest, sort_by_index
from sksparse_nn.solvers.coding import OLS, OMP, encode


def naive_pursuit(x, D, n_nonzero, limit, choose):
    """Refit all coefficients by least squares after each choice."""
    support, code = [], np.zeros(len(D))
    while len(support) < n_nonzero and np.sum((x - code @ D) ** 2) > limit:
        support.append(choose(x, D, support, x - code @ D))
        code = np.zeros(len(D))
        code[support] = np.linalg.lstsq(D[support].T, x)[0]
    return code


def most_correlated(x, D, support, residual):
    scores = np.abs(D @ residual)
    scores[support] = -1
    return int(np.argmax(scores))


def most_useful(x, D, support, residual):
    errors = np.full(len(D), np.inf)
    for j in set(range(len(D))) - set(support):
        trial = [*support, j]
        fitted = D[trial].T @ np.linalg.lstsq(D[trial].T, x)[0]
        errors[j] = np.sum((x - fitted) ** 2)
    return int(np.argmin(errors))


TWINS = {OMP: most_correlated, OLS: most_useful}


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    D = rng.standard_normal((30, 12))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    return rng.standard_normal((40, 12)), D


@pytest.mark.parametrize("coder", TWINS)
@pytest.mark.parametrize("n_nonzero", [1, 2, 3, 5, 9, 11])
def test_pursuit_by_count_is_the_naive_one(coder, n_nonzero, problem):
    X, D = problem
    naive = [naive_pursuit(x, D, n_nonzero, 0, TWINS[coder]) for x in X]
    codes = encode(coder(n_nonzero), D, X, sparse_output=False)
    assert_allclose(codes, naive, atol=1e-9)


@pytest.mark.parametrize("coder", TWINS)
@pytest.mark.parametrize("tol", [0.5, 0.1, 0.01])
def test_pursuit_by_relative_tolerance_is_the_naive_one(coder, tol, problem):
    X, D = problem
    naive = [naive_pursuit(x, D, 12, tol * x @ x, TWINS[coder]) for x in X]
    assert_allclose(
        encode(coder(residual_tol=tol), D, X, sparse_output=False), naive, atol=1e-9
    )


@pytest.mark.parametrize("coder", TWINS)
def test_pursuit_by_absolute_tolerance_is_the_naive_one(coder, problem):
    X, D = problem
    naive = [naive_pursuit(x, D, 12, 3.0, TWINS[coder]) for x in X]
    codes = encode(coder(abs_residual_tol=3.0), D, X, sparse_output=False)
    assert_allclose(codes, naive, atol=1e-9)


def test_count_and_tolerance_hold_together(problem):
    X, D = problem
    codes = encode(OMP(3, residual_tol=0.2), D, X, sparse_output=False)
    n_used = (codes != 0).sum(axis=1)
    done = ((X - codes @ D) ** 2).sum(axis=1) <= 0.2 * (X**2).sum(axis=1)
    assert n_used.max() == 3
    assert np.all(done | (n_used == 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 5, 64, 65, 200])
def test_largest_finds_the_first_maximum(dtype, size):
    rng = np.random.default_rng(size)
    for _ in range(20):
        scores = rng.integers(0, 9, size).astype(dtype)
        bits = scores.view(np.int32 if dtype == np.float32 else np.int64)
        assert largest(scores, bits) == np.argmax(scores)


def test_rows_are_sorted_by_index():
    indices = np.array([5, 1, 9, 3, 7], np.int32)
    values = indices * 10.0
    sort_by_index(indices, values, 4)
    assert_array_equal(indices, [1, 3, 5, 9, 7])
    assert_array_equal(values, indices * 10.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_duplicate_and_zero_atoms_are_passed_over(dtype):
    rng = np.random.default_rng(1)
    D = rng.standard_normal((6, 8)).astype(dtype)
    hostile = np.vstack([D, D, -D, np.zeros((2, 8), dtype)])
    X = rng.standard_normal((20, 6)).astype(dtype) @ D
    codes = encode(OMP(8), hostile, X, sparse_output=False)
    assert np.all(np.isfinite(codes))
    # Correlations of 32 eps stop a pursuit; what is left then is by the conditioning
    # of the atoms larger.
    left = ((codes @ hostile - X) ** 2).sum(axis=1) / (X**2).sum(axis=1)
    assert left.max() <= (1e4 * np.finfo(dtype).eps) ** 2
    assert ((codes != 0).sum(axis=1) <= 6).all()
