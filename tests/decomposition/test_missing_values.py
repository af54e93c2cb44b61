"""Rows with gaps are coded on what they have."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits

from sksparse_nn import SparseDictionaryCoder, sparse_encode, sparsity_path
from sksparse_nn.solvers.coding import CODERS


def problem(dtype=np.float64, share=0.3, seed=0):
    rng = np.random.default_rng(seed)
    D = rng.standard_normal((15, 10)).astype(dtype)
    X = rng.standard_normal((40, 10)).astype(dtype)
    X[rng.random(X.shape) < share] = np.nan
    X[3], X[4] = np.nan, 1.0
    return X, D


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", CODERS)
def test_a_row_is_coded_as_one_of_fewer_features(algorithm, dtype):
    X, D = problem(dtype)
    settings = {"algorithm": algorithm}
    if "n_nonzero_coefs" in CODERS.parameters(algorithm):
        settings["n_nonzero_coefs"] = 3
    if "alpha" in CODERS.parameters(algorithm):
        settings["alpha"] = 0.5
    codes = sparse_encode(X, D, allow_nan=True, n_jobs=2, **settings)
    assert codes.dtype == dtype
    assert np.all(np.isfinite(codes.data))
    for row, code in zip(X, codes.toarray(), strict=True):
        seen = ~np.isnan(row)
        if seen.any():
            alone = sparse_encode(
                row[None, seen], D[:, seen], sparse_output=False, **settings
            )
            assert_allclose(code, alone[0], atol=1e-5 if dtype == np.float32 else 1e-12)
    if algorithm != "triangle":
        assert codes[[3]].nnz == 0


@pytest.mark.parametrize("algorithm", ["omp", "lasso"])
def test_sparse_rows_with_gaps_have_the_codes_of_dense_ones(algorithm):
    X, D = problem()
    X[np.abs(X) < 0.3] = 0
    settings = {"algorithm": algorithm, "allow_nan": True, "sparse_output": False}
    expected = sparse_encode(X, D, **settings)
    codes = sparse_encode(sparse.csr_array(X), D, **settings)
    assert_allclose(codes, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("algorithm", "values"), [("ols", [1, 3]), ("lasso", [1, 0.1])]
)
def test_a_path_of_rows_with_gaps_holds_the_codes_of_each_sparsity(algorithm, values):
    X, D = problem()
    path = sparsity_path(X, D, values, algorithm=algorithm, allow_nan=True)
    for value, codes in zip(values, path, strict=True):
        name = CODERS[algorithm].sparsity.parameter
        settings = {"algorithm": algorithm, name: value, "allow_nan": True}
        alone = sparse_encode(X, D, **settings)
        assert_allclose(codes.toarray(), alone.toarray(), atol=1e-9)


def test_without_leave_nan_is_refused():
    X, D = problem()
    with pytest.raises(ValueError, match="NaN"):
        sparse_encode(X, D)
    X[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        sparse_encode(X, D, allow_nan=True)


@pytest.fixture(scope="module")
def digits_with_gaps():
    X = load_digits().data / 16
    gaps = np.random.default_rng(0).random(X.shape) < 0.2
    return X, np.where(gaps, np.nan, X), gaps


def guards_most(learner, as_sparse):
    return (learner, as_sparse) in [("online", True), ("ksvd", False)]


LEARNERS = [
    pytest.param(*case, marks=[pytest.mark.slow] * (not guards_most(*case)))
    for case in product(["online", "ksvd", "exact_ksvd", "mod"], [False, True])
]


@pytest.mark.parametrize(("learner", "as_sparse"), LEARNERS)
def test_a_dictionary_learnt_from_gaps_fills_them(digits_with_gaps, learner, as_sparse):
    X, holed, gaps = digits_with_gaps
    given = sparse.csr_array(holed) if as_sparse else holed
    before = given.copy()
    coder = SparseDictionaryCoder(
        64, algorithm="omp", n_nonzero_coefs=6, learner=learner, max_epochs=5,
        allow_nan=True, random_state=0,
    )  # fmt: skip
    rebuilt = coder.inverse_transform(coder.fit_transform(given))
    assert np.all(np.isfinite(coder.components_))
    means = np.broadcast_to(np.nanmean(holed, axis=0), X.shape)
    error = np.sum((rebuilt - X)[gaps] ** 2)
    assert error < 0.5 * np.sum((means - X)[gaps] ** 2)
    if as_sparse:
        assert_array_equal(given.data, before.data)
    else:
        assert_array_equal(given, before)


def test_leave_for_gaps_changes_nothing_where_there_are_none(digits_with_gaps):
    X = digits_with_gaps[0]
    one, other = (
        SparseDictionaryCoder(30, max_epochs=2, allow_nan=allowed, random_state=0)
        for allowed in (False, True)
    )
    assert_array_equal(one.fit(X).components_, other.fit(X).components_)


def test_pieces_with_gaps_are_learnt_from_as_a_whole_is(digits_with_gaps):
    holed = digits_with_gaps[1][:700]
    settings = {"allow_nan": True, "batch_size": 200, "random_state": 0}
    whole = SparseDictionaryCoder(30, shuffle=False, max_epochs=1, **settings)
    pieces = SparseDictionaryCoder(30, **settings)
    for start in range(0, 700, 70):
        pieces.partial_fit(holed[start : start + 70])
    assert_array_equal(whole.fit(holed).components_, pieces.components_)
