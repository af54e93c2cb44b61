"""The same numbers give the same answer, however they lie in memory."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from tests.estimators import ESTIMATORS, SEEDED, TRANSFORMERS, name_of


def dense(codes):
    return codes.toarray() if sparse.issparse(codes) else np.asarray(codes)


def answer(estimator, X, y):
    estimator = clone(estimator).set_params(random_state=0).fit(X, y)
    for method in ("transform", "predict_proba", "predict"):
        if hasattr(estimator, method):
            return dense(getattr(estimator, method)(X))
    raise AssertionError(f"{estimator} has no answer")


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 12)) @ rng.standard_normal((12, 12))
    X[np.abs(X) < 1] = 0
    return X, (X[:, 0] > X[:, 1]).astype(int)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_named_columns_are_named_everywhere(estimator, samples):
    X, y = samples
    table = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "X does not have valid feature names")
        fitted = clone(estimator).fit(table, y + 1)
        answers = fitted.predict if hasattr(fitted, "predict") else fitted.transform
        answers(table)
    assert list(fitted.feature_names_in_) == list(table.columns)


def layouts(X, folder):
    np.save(folder / "X.npy", X)
    joblib.dump(X, folder / "X.joblib")
    wide = np.zeros((2 * len(X), 2 * X.shape[1]))
    wide[::2, ::2] = X
    read_only = X.copy()
    read_only.flags.writeable = False
    long_csr = sparse.csr_array(X)
    long_csr.indices = long_csr.indices.astype(np.int64)
    long_csr.indptr = long_csr.indptr.astype(np.int64)
    shuffled = sparse.csr_array(X)
    for start, stop in zip(shuffled.indptr[:-1], shuffled.indptr[1:], strict=True):
        shuffled.indices[start:stop] = shuffled.indices[start:stop][::-1].copy()
        shuffled.data[start:stop] = shuffled.data[start:stop][::-1].copy()
    shuffled.has_sorted_indices = False
    shuffled.has_canonical_format = False
    return {
        "F-ordered": np.asfortranarray(X),
        "strided": wide[::2, ::2],
        "reversed": X[::-1].copy()[::-1],
        "read-only": read_only,
        "memmap": np.load(folder / "X.npy", mmap_mode="r"),
        "joblib memmap": joblib.load(folder / "X.joblib", mmap_mode="r"),
        "list": X.tolist(),
        "DataFrame": pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])]),
        "DataFrame of sparse columns": pd.DataFrame.sparse.from_spmatrix(
            sparse.csr_array(X), columns=[f"f{i}" for i in range(X.shape[1])]
        ),
        "CSR": sparse.csr_array(X),
        "CSR matrix": sparse.csr_matrix(X),
        "CSR of long indices": long_csr,
        "CSR out of order": shuffled,
        "CSC": sparse.csc_array(X),
        "COO": sparse.coo_array(X),
    }


@pytest.mark.parametrize("estimator", SEEDED, ids=name_of)
def test_layout_does_not_matter(estimator, samples, tmp_path):
    X, y = samples
    expected = answer(estimator, X, y)
    for name, laid_out in layouts(X, tmp_path).items():
        got = answer(estimator, laid_out, y)
        atol = 1e-6 * np.abs(expected).max()
        assert_allclose(got, expected, rtol=1e-6, atol=atol, err_msg=name)


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_n_jobs_does_not_matter(estimator, samples):
    X, y = samples
    one, two = (clone(estimator).set_params(n_jobs=n) for n in (1, 2))
    assert_array_equal(answer(one, X, y), answer(two, X, y))


@pytest.mark.parametrize("estimator", SEEDED, ids=name_of)
def test_fitting_twice_gives_the_same_bits(estimator, samples):
    assert_array_equal(answer(estimator, *samples), answer(estimator, *samples))


@pytest.mark.parametrize("estimator", SEEDED, ids=name_of)
def test_two_threads_at_once_get_what_one_gets(estimator, samples):
    expected = answer(estimator, *samples)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(answer, estimator, *samples) for _ in range(4)]
        for future in futures:
            assert_array_equal(future.result(), expected)


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_fit_transform_is_fit_then_transform(estimator, samples):
    X, y = samples
    together = clone(estimator).set_params(random_state=0).fit_transform(X)
    assert_array_equal(dense(together), answer(estimator, X, y))


@pytest.mark.filterwarnings("ignore:n_components=:UserWarning")
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint8, np.int64, bool])
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_all_but_float64_becomes_float32(estimator, samples, dtype):
    X = np.abs(samples[0]).astype(dtype)
    assert clone(estimator).fit_transform(X).dtype == np.float32


# The exponential of what is so large is no number.
LARGE = [e for e in SEEDED if getattr(e, "loss", None) != "poisson"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("estimator", LARGE, ids=name_of)
def test_integers_beyond_float32_keep_their_digits(estimator, samples, kind):
    X, y = samples
    whole = np.round(2.0**22 * np.abs(X)).astype(np.int64)
    assert (whole != whole.astype(np.float32)).any()
    expected = answer(estimator, kind(whole.astype(np.float64)), y)
    assert_array_equal(answer(estimator, kind(whole), y), expected)


@pytest.mark.parametrize("estimator", SEEDED, ids=name_of)
def test_input_is_left_as_it_was(estimator, samples):
    X, y = samples
    given, before = X.copy(), X.copy()
    answer(estimator, given, y)
    assert_array_equal(given, before)
    given, before = sparse.csr_array(X), sparse.csr_array(X)
    answer(estimator, given, y)
    for part in ("data", "indices", "indptr"):
        assert_array_equal(getattr(given, part), getattr(before, part))
