"""Coding without an estimator."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.decomposition import sparse_encode as peer_encode

from sksparse_nn import SparseDictionaryCoder, sparse_encode, sparsity_path


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.standard_normal((50, 20)), rng.standard_normal((40, 20))


def test_codes_are_those_of_the_estimator(problem):
    X, D = problem
    coder = SparseDictionaryCoder(learner=None, init=D, algorithm="lasso")
    expected = coder.set_params(alpha=0.5).fit(X).transform(X)
    codes = sparse_encode(X, D, algorithm="lasso", alpha=0.5)
    assert_array_equal(codes.toarray(), expected.toarray())


def test_omp_is_that_of_scikit_learn_on_unit_atoms(problem):
    X, D = problem
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    peer = peer_encode(X, D, algorithm="omp", n_nonzero_coefs=4)
    codes = sparse_encode(X, D, algorithm="omp", n_nonzero_coefs=4, sparse_output=False)
    assert_allclose(codes, peer, atol=1e-9)


@pytest.mark.parametrize(
    ("algorithm", "parameter", "values"),
    [
        ("omp", "n_nonzero_coefs", [1, 5, 3]),
        ("lasso", "alpha", [0.1, 2.0]),
        ("soft_threshold", "alpha", np.array([0.1, 2.0])),
    ],
)
def test_a_path_is_coding_for_each_value(problem, algorithm, parameter, values):
    X, D = problem
    X[np.abs(X) < 1] = 0
    for rows in (X, sparse.csr_array(X), X.astype(np.float32)):
        path = sparsity_path(rows, D, values, algorithm=algorithm)
        for value, codes in zip(values, path, strict=True):
            alone = sparse_encode(rows, D, algorithm=algorithm, **{parameter: value})
            assert_allclose(codes.toarray(), alone.toarray(), atol=1e-4)


@pytest.mark.parametrize(
    ("algorithm", "values", "message"),
    [
        ("triangle", [1], "has no parameter of sparsity"),
        ("omp", [0, 1], "whole numbers of at least 1"),
        ("omp", [1.5], "whole numbers of at least 1"),
        ("omp", [], "must be a sequence"),
        ("omp", 3, "must be a sequence"),
        ("lasso", [-1.0], "numbers of at least 0"),
        ("lasso", [np.nan], "numbers of at least 0"),
    ],
)
def test_a_path_over_senseless_values_says_so(problem, algorithm, values, message):
    with pytest.raises(ValueError, match=message):
        sparsity_path(*problem, values, algorithm=algorithm)


def test_a_misspelt_parameter_is_refused(problem):
    with pytest.raises(TypeError, match="n_nonzero"):
        sparse_encode(*problem, n_nonzero=3)


def test_rows_and_atoms_of_different_widths_are_refused(problem):
    X, D = problem
    with pytest.raises(ValueError, match="dictionary must have the shape"):
        sparse_encode(X[:, :10], D)


def test_a_path_takes_its_values_once(problem):
    with pytest.raises(ValueError, match="alpha are given as values"):
        sparsity_path(*problem, [1.0], alpha=2.0)


def test_a_parameter_that_a_path_does_not_read_is_refused(problem):
    with pytest.raises(ValueError, match="tol is read by algorithm"):
        sparsity_path(*problem, [1.0], residual_tol=0.1)


def test_a_penalty_too_large_for_any_code_is_told(problem):
    with pytest.warns(UserWarning, match="alpha=1e\\+06 is too large"):
        sparse_encode(*problem, alpha=1e6)


def test_rows_may_be_a_table(problem):
    X, D = problem
    codes = sparse_encode(pd.DataFrame(X).rename(columns=str), D)
    assert_array_equal(codes.toarray(), sparse_encode(X, D).toarray())
