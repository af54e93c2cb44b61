"""Laws of codes on the simplex, and converged ones against a solver of the QP."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn.solvers.simplex import MAPPINGS, encode, make_coding


def converged(max_iter, tol):
    return make_coding(MAPPINGS["sparsemax"](), 1.5, {"max_iter": max_iter, "tol": tol})


CODINGS = {
    **{name: make_coding(MAPPINGS[name](), 1.5) for name in MAPPINGS},
    "converged": converged(2000, 1e-6),
}
EXACT = converged(5000, 1e-10)
PENALTIES = {
    "sparsemax": lambda codes: codes**2 / 2,
    "entmax15": lambda codes: codes**1.5 * (4 / 3),
}


@pytest.fixture(params=CODINGS)
def coding(request):
    return CODINGS[request.param]


def problem(dtype=np.float64, n_rows=600, n_features=6, n_keys=9, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, n_features))
    return X.astype(dtype), rng.standard_normal((n_keys, n_features)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_are_canonical_csr_on_the_simplex(coding, dtype):
    X, K = problem(dtype)
    codes = encode(coding, K, X)
    assert codes.dtype == dtype
    assert codes.has_canonical_format
    assert np.all(codes.data > 0)
    assert_allclose(codes.sum(axis=1), 1, rtol=8 * np.finfo(dtype).eps)


def test_codes_do_not_depend_on_threads(coding):
    X, K = problem(np.float32, n_rows=2000)
    one, two = (encode(coding, K, X, n_jobs=n, sparse_output=False) for n in (1, 2))
    assert_array_equal(one, two)


def test_sparse_rows_have_the_codes_of_dense_ones(coding):
    X, K = problem()
    X[np.abs(X) < 0.5] = 0
    dense, thin = (
        encode(coding, K, rows, sparse_output=False)
        for rows in (X, sparse.csr_array(X))
    )
    assert_allclose(thin, dense, atol=1e-9)


def test_an_offset_of_rows_and_keys_changes_nothing(coding):
    X, K = problem()
    moved = encode(coding, K + 1e4, X + 1e4, sparse_output=False)
    assert_allclose(moved, encode(coding, K, X, sparse_output=False), atol=1e-8)


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_step_minimises_distances_and_the_penalty(name):
    X, K = problem(n_rows=20)
    coding, penalty = CODINGS[name], PENALTIES[name]
    distances = ((X[:, None] - K) ** 2).sum(axis=2) / 2

    def cost(codes):
        return (distances * codes + 1.5 * penalty(codes)).sum(axis=1)

    best = cost(encode(coding, K, X, sparse_output=False))
    rng = np.random.default_rng(1)
    for _ in range(200):
        others = rng.dirichlet(np.full(len(K), 0.3), len(X))
        assert np.all(cost(others) >= best)
        towards = encode(coding, K, X, sparse_output=False) * 0.999 + others * 0.001
        assert np.all(cost(towards) >= best - 1e-12)


def naive_mixture(x, K):
    """Minimise |x - c K|^2 over the simplex by a general solver."""
    n = len(K)
    found = minimize(
        lambda c: 0.5 * np.sum((x - c @ K) ** 2),
        np.full(n, 1 / n),
        jac=lambda c: (c @ K - x) @ K.T,
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda c: c.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    return found.x


@pytest.mark.parametrize("n_features", [2, 6, 20])
def test_converged_codes_are_as_good_as_those_of_a_general_solver(n_features):
    X, K = problem(n_rows=30, n_features=n_features)
    codes = encode(EXACT, K, X, sparse_output=False)
    naive = np.array([naive_mixture(x, K) for x in X])
    ours, theirs = (((X - c @ K) ** 2).sum(axis=1) for c in (codes, naive))
    assert_allclose(ours, theirs, atol=1e-6)
    if n_features == 20:  # independent keys: one optimum
        assert_allclose(codes, naive, atol=1e-5)


def test_converged_codes_of_a_mixture_rebuild_it():
    _, K = problem(n_keys=5)
    C = np.random.default_rng(2).dirichlet(np.ones(5), 40)
    codes = encode(EXACT, K, C @ K, sparse_output=False)
    assert_allclose(codes, C, atol=1e-4)


def test_steps_that_do_not_suffice_are_told_once():
    X, K = problem()
    with pytest.warns(
        ConvergenceWarning, match=r"of 600 rows .* after 1 steps"
    ) as told:
        codes = encode(converged(1, 1e-9), K, X)
    assert len(told) == 1
    assert_allclose(codes.sum(axis=1), 1)


def test_equal_keys_share_evenly(coding):
    X, K = problem(n_rows=5)
    codes = encode(coding, np.repeat(K[:1], 4, axis=0), X, sparse_output=False)
    assert_allclose(codes, 0.25)
