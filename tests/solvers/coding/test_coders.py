"""Laws that every coder keeps from the moment it has a line in `CODERS`."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import orthogonal_mp_gram

from sksparse_nn.solvers._rows import read_rows
from sksparse_nn.solvers.coding import (
    CODERS,
    OLS,
    OMP,
    HardThreshold,
    TopK,
    encode,
    encode_path,
)
from tests.solvers.coding.objective import objectives

PARAMETERS = {"n_nonzero_coefs": 3, "alpha": 0.8, "l1_ratio": 1.0}
GREEDY = ["omp", "ols"]
LINEAR = [name for name in CODERS if name != "triangle"]
UNPENALISED = [name for name in LINEAR if name not in ("lasso", "elastic_net")]
APPROXIMATE = [name for name in CODERS if CODERS[name].approximates]
ONE_LOOK = [name for name in CODERS if not CODERS[name].approximates]


@pytest.fixture(params=CODERS)
def coder(request):
    return CODERS.make(request.param, PARAMETERS)


def problem(dtype=np.float64, n_rows=700, n_features=12, n_atoms=20, seed=0):
    rng = np.random.default_rng(seed)
    D = rng.standard_normal((n_atoms, n_features))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    return rng.standard_normal((n_rows, n_features)).astype(dtype), D.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_are_canonical_csr_of_the_rows_type(coder, dtype):
    X, D = problem(dtype)
    codes = encode(coder, D, X)
    assert codes.dtype == dtype
    assert codes.has_canonical_format
    assert codes.shape == (len(X), len(D))
    assert np.all(codes.data != 0)


def test_dense_output_holds_the_same_codes(coder):
    X, D = problem()
    codes = encode(coder, D, X)
    assert_array_equal(encode(coder, D, X, sparse_output=False), codes.toarray())


def test_codes_do_not_depend_on_the_number_of_threads(coder):
    X, D = problem(np.float32, n_rows=2000)
    one, two = (encode(coder, D, X, n_jobs=n) for n in (1, 2))
    assert_array_equal(one.toarray(), two.toarray())


def test_sparse_rows_have_the_codes_of_dense_ones(coder):
    X, D = problem()
    X[np.abs(X) < 0.5] = 0
    codes = encode(coder, D, sparse.csr_array(X), sparse_output=False)
    assert_allclose(codes, encode(coder, D, X, sparse_output=False), atol=1e-12)


def test_the_code_of_a_row_does_not_depend_on_the_others(coder):
    X, D = problem(n_rows=30)
    alone = np.vstack([encode(coder, D, x[None], sparse_output=False) for x in X])
    assert_allclose(encode(coder, D, X, sparse_output=False), alone, atol=1e-12)


def test_permuted_atoms_permute_the_codes(coder):
    X, D = problem()
    order = np.random.default_rng(1).permutation(len(D))
    expected = encode(coder, D, X, sparse_output=False)[:, order]
    assert_allclose(
        encode(coder, D[order], X, sparse_output=False), expected, atol=1e-9
    )


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("scale", [1e-9, 1e9, 1e-30, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scaled_rows_have_scaled_codes(name, scale, dtype):
    X, D = problem(dtype)
    scale = dtype(scale)
    unit = CODERS.make(name, PARAMETERS)
    scaled = CODERS.make(name, PARAMETERS | {"alpha": 0.8 * float(scale)})
    expected, codes = encode(unit, D, X), encode(scaled, D, X * scale)
    assert_array_equal(codes.indices, expected.indices)
    rtol = 2e-3 if dtype == np.float32 else 1e-9
    assert_allclose(codes.data / scale, expected.data, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", UNPENALISED)
def test_codes_are_in_the_scale_of_the_given_atoms(name):
    X, D = problem()
    norms = np.random.default_rng(1).uniform(0.1, 10, len(D))
    coder = CODERS.make(name, PARAMETERS)
    expected = encode(coder, D, X, sparse_output=False) / norms
    codes = encode(coder, D * norms[:, None], X, sparse_output=False)
    assert_allclose(codes, expected, atol=1e-9)


def test_zero_rows_have_empty_codes(coder):
    X, D = problem(n_rows=4)
    X[2] = 0
    assert encode(coder, D, X)[[2]].nnz == 0 or not coder.weights_atoms


def test_no_rows_have_no_codes(coder):
    X, D = problem(n_rows=1)
    assert encode(coder, D, X[:0]).shape == (0, len(D))


def test_split_signs_put_negative_parts_behind(coder):
    X, D = problem()
    codes = encode(coder, D, X, sparse_output=False)
    split = encode(coder, D, X, split_sign=True)
    assert split.has_canonical_format
    expected = np.hstack([np.maximum(codes, 0), np.maximum(-codes, 0)])
    assert_array_equal(split.toarray(), expected)
    dense = encode(coder, D, X, split_sign=True, sparse_output=False)
    assert_array_equal(dense, expected)


@pytest.mark.parametrize("name", [*GREEDY, "top_k"])
@pytest.mark.parametrize("k", [1, 4, 12, 50])
def test_codes_have_at_most_k_nonzeros(name, k):
    X, D = problem()
    codes = encode(CODERS.make(name, {"n_nonzero_coefs": k}), D, X)
    assert np.diff(codes.indptr).max() <= k


@pytest.mark.parametrize("name", GREEDY)
def test_the_error_never_grows_with_k(name):
    X, D = problem()
    errors = []
    for k in range(1, 13):
        codes = encode(CODERS.make(name, {"n_nonzero_coefs": k}), D, X)
        errors.append(((X - codes @ D) ** 2).sum(axis=1))
    assert np.all(np.diff(errors, axis=0) <= 1e-9)


@pytest.mark.parametrize("name", GREEDY)
def test_a_smaller_code_is_the_beginning_of_a_larger_one(name):
    X, D = problem()
    small, large = (
        encode(CODERS.make(name, {"n_nonzero_coefs": k}), D, X, sparse_output=False)
        for k in (3, 5)
    )
    assert np.all(((small != 0) & (large == 0)).sum(axis=1) == 0)


@pytest.mark.parametrize("name", [*GREEDY, "top_k"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_atom_is_coded_as_itself(name, dtype):
    _, D = problem(dtype)
    k = 1 if name == "top_k" else 5
    codes = encode(CODERS.make(name, {"n_nonzero_coefs": k}), D, 3 * D)
    assert_allclose(codes.toarray(), 3 * np.eye(len(D)), atol=1e-5)


# Five atoms leave something of twelve features, so that no objective is near zero.
@pytest.mark.parametrize("name", APPROXIMATE)
def test_float32_is_as_good_as_float64(name):
    X, D = problem()
    coder = CODERS.make(name, {"n_nonzero_coefs": 5, "alpha": 0.3, "l1_ratio": 0.6})
    double, single = (
        encode(coder, D.astype(dtype), X.astype(dtype), sparse_output=False)
        for dtype in (np.float64, np.float32)
    )
    expected = objectives(X, D, double, coder)
    assert_allclose(objectives(X, D, single, coder), expected, rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 10.0, 1e4])
def test_float32_sees_distances_behind_an_offset(offset):
    X, D = ((offset + part).astype(np.float32) for part in problem())
    codes = encode(CODERS.make("triangle", {}), D, X, sparse_output=False)
    distances = np.linalg.norm(X[:, None].astype(np.float64) - D, axis=2)
    nearer = distances.mean(axis=1, keepdims=True) - distances
    assert codes.dtype == np.float32
    assert_allclose(codes, np.maximum(nearer, 0), atol=1e-4)


@pytest.mark.parametrize("name", GREEDY)
@pytest.mark.parametrize("offset", [10.0, 1000.0])
@pytest.mark.parametrize("parameters", [{"n_nonzero_coefs": 12}, {"tol": 1e-7}])
def test_float32_is_as_good_with_atoms_that_are_alike(name, offset, parameters):
    X, D = (offset + part.astype(np.float32) for part in problem(n_rows=100))
    coder = CODERS.make(name, parameters)
    single, double = (
        encode(coder, D.astype(dtype), X.astype(dtype), sparse_output=False)
        for dtype in (np.float32, np.float64)
    )
    X, D = X.astype(np.float64), D.astype(np.float64)
    left, expected = (((X - codes @ D) ** 2).sum(axis=1) for codes in (single, double))
    # What the coefficients lose when they are rounded at the end.
    sizes = np.abs(single) @ np.linalg.norm(D, axis=1)
    rounding = (np.finfo(np.float32).eps * sizes) ** 2
    assert (np.sqrt(left) <= np.sqrt(1.001 * expected) + np.sqrt(rounding)).all()


@pytest.mark.parametrize("name", ONE_LOOK)
def test_float32_sees_what_float64_sees(name):
    X, D = problem()
    coder = CODERS.make(name, PARAMETERS)
    double, single = (
        encode(coder, D.astype(dtype), X.astype(dtype), sparse_output=False)
        for dtype in (np.float64, np.float32)
    )
    # Rows, atoms and each of twelve terms are rounded, and so is the sum.
    largest = np.linalg.norm(X, axis=1).max()
    assert_allclose(single, double, atol=15 * np.finfo(np.float32).eps * largest)


def test_omp_chooses_what_scikit_learn_chooses():
    X, D = problem(n_features=30, n_atoms=60)
    peer = orthogonal_mp_gram(D @ D.T, D @ X.T, n_nonzero_coefs=6).T
    assert_allclose(encode(OMP(6), D, X, sparse_output=False), peer, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ols_chooses_what_spams_calls_omp(dtype):
    spams = pytest.importorskip("spams", reason="SPAMS comes with the bench extra")
    X, D = problem(dtype, n_rows=200, n_features=30, n_atoms=60)
    rows, columns = np.asfortranarray(X.T), np.asfortranarray(D.T)
    peer = spams.omp(rows, columns, L=6, eps=0.0, lambda1=0.0, numThreads=1)
    codes = encode(OLS(6), D, X, sparse_output=False)
    assert_array_equal(codes != 0, peer.T.toarray() != 0)


@pytest.mark.parametrize("name", GREEDY)
def test_no_pursuit_is_better_than_the_best_of_all_supports(name):
    X, D = problem(n_rows=20, n_features=5, n_atoms=8)
    codes = encode(CODERS.make(name, {"n_nonzero_coefs": 3}), D, X)
    supports = [list(s) for s in combinations(range(8), 3)]
    best = [min(_error(x, D[s]) for s in supports) for x in X]
    errors = ((X - codes @ D) ** 2).sum(axis=1)
    assert np.all(errors >= np.array(best) - 1e-12)


def test_ols_of_orthonormal_atoms_is_the_best_of_all_supports():
    rng = np.random.default_rng(0)
    D = np.linalg.qr(rng.standard_normal((7, 7)))[0]
    X = rng.standard_normal((20, 7))
    codes = encode(OLS(3), D, X, sparse_output=False)
    best = [min(_error(x, D[list(s)]) for s in combinations(range(7), 3)) for x in X]
    assert_allclose(((X - codes @ D) ** 2).sum(axis=1), best)


def _error(x, atoms):
    return np.sum((x - np.linalg.lstsq(atoms.T, x)[0] @ atoms) ** 2)


@pytest.mark.parametrize(("n_features", "expected"), [(30, 5), (80, 8)])
def test_the_default_count_is_a_tenth_of_the_features_or_five(n_features, expected):
    X, D = problem(n_features=n_features)
    assert np.diff(encode(OMP(), D, X).indptr).max() == expected
    assert np.diff(encode(TopK(), D, X).indptr).max() == expected


def test_a_threshold_of_zero_keeps_every_product():
    X, D = problem()
    codes = encode(HardThreshold(0.0), D, X, sparse_output=False)
    assert_allclose(codes, X @ D.T, atol=1e-12)


PATHS = {
    "omp": [1, 3, 2, 8],
    "ols": [5, 1],
    "top_k": [1, 2, 30],
    "lasso": [1.0, 0.01, 0.3],
    "elastic_net": [0.1, 0.5],
    "threshold": [0.1, 0.5],
    "soft_threshold": [0.5, 0.1],
}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_path_holds_the_codes_of_each_sparsity(name, dtype):
    X, D = problem(dtype)
    D *= np.random.default_rng(1).uniform(0.5, 2, (len(D), 1)).astype(dtype)
    coder = CODERS.make(name, PARAMETERS | {"l1_ratio": 0.7})
    path = encode_path(coder, D, X, PATHS[name], n_jobs=2)
    for value, codes in zip(PATHS[name], path, strict=True):
        alone = encode(replace(coder, **{coder.sparsity.parameter: value}), D, X)
        atol = 2e-3 if dtype == np.float32 else 1e-7
        assert codes.has_canonical_format
        assert_allclose(codes.toarray(), alone.toarray(), atol=atol)


WEIGHTED = ["lasso", "elastic_net", "threshold", "soft_threshold"]


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_weight_is_a_penalty_of_its_own(name):
    """An atom with weight w codes as the atom times 1 / w does with weight one."""
    X, D = problem()
    weights = np.random.default_rng(1).uniform(0.5, 2, len(D))
    parameters = PARAMETERS | {"l1_ratio": 0.7}
    coder = CODERS.make(name, parameters | {"atom_weights": weights})
    codes = encode(coder, D, X, sparse_output=False)
    if name == "lasso":
        plain = CODERS.make(name, parameters)
        scaled = encode(plain, D / weights[:, None], X, sparse_output=False)
        assert_allclose(codes, scaled / weights, atol=1e-9)
    for j, weight in enumerate(weights):
        same = CODERS.make(name, parameters | {"alpha": 0.8 * weight})
        if name in ("threshold", "soft_threshold"):
            alone = encode(same, D, X, sparse_output=False)
            assert_array_equal(codes[:, j], alone[:, j])
    ones = CODERS.make(name, parameters | {"atom_weights": np.ones(len(D))})
    expected = encode(CODERS.make(name, parameters), D, X)
    assert_allclose(encode(ones, D, X).toarray(), expected.toarray(), atol=1e-12)


def test_the_penalty_of_weighted_codes_is_weighted():
    X, D = problem()
    weights = np.random.default_rng(1).uniform(0.5, 2, len(D))
    coder = CODERS.make("elastic_net", {"alpha": 0.3, "l1_ratio": 0.5})
    coder = replace(coder, atom_weights=weights)
    atoms = coder.prepare(D)
    codes = coder.encode(atoms, read_rows(X, slice(None)))
    C = codes.dense(len(D))
    expected = 0.3 * (0.5 * abs(C) @ weights + 0.25 * C**2 @ weights)
    assert_allclose(coder.penalty(codes), expected)
