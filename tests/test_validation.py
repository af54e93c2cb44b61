"""Which type samples become, and what is refused."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.utils.validation import validate_data

from sksparse_nn._validation import check_rows, float_types

LARGE = np.array([[2**24 + 1, 1], [3, 4]])
BEYOND_FLOAT32 = {
    "int64": LARGE,
    "negative": -LARGE,
    "the smallest": np.array([[np.iinfo(np.int64).min]]),
    "uint64": LARGE.astype(np.uint64),
    "int32": LARGE.astype(np.int32),
    "list": LARGE.tolist(),
    "CSR": sparse.csr_array(LARGE),
    "LIL": sparse.lil_array(LARGE),
    "DataFrame": pd.DataFrame(LARGE),
    "one column": pd.DataFrame({"id": [2**24 + 1, 2], "name": ["a", "b"]}),
    "missing": pd.DataFrame({"id": pd.array([2**24 + 1, None], dtype="Int64")}),
    "sparse columns": pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(LARGE)),
}
WITHIN_FLOAT32 = {
    "int64": LARGE - 1,
    "uint8": LARGE.astype(np.uint8),
    "no rows": LARGE[:0],
    "no values": sparse.csr_array((3, 2), dtype=np.int64),
    "text": np.array([["a"]]),
    "all missing": pd.DataFrame({"id": pd.array([None, None], dtype="Int64")}),
    "intervals": pd.DataFrame({"of": pd.interval_range(0, 3)}),
    "float32": LARGE.astype(np.float32),
}


@pytest.mark.parametrize("X", BEYOND_FLOAT32.values(), ids=BEYOND_FLOAT32)
def test_integers_that_float32_does_not_hold_become_float64(X):
    assert float_types(X) is np.float64


@pytest.mark.parametrize("X", WITHIN_FLOAT32.values(), ids=WITHIN_FLOAT32)
def test_all_else_may_become_float32(X):
    assert float_types(X) == [np.float32, np.float64]


CHECKED = {
    "float32": np.eye(3, 2, dtype=np.float32),
    "float64": np.eye(3, 2),
    "other byte order": np.eye(3, 2).astype(">f8"),
    "by columns": np.asfortranarray(np.eye(3, 2)),
    "strided": np.eye(6, 4)[::2, ::2],
    "integers": np.eye(3, 2, dtype=int),
    "list": np.eye(3, 2).tolist(),
}


@pytest.mark.parametrize("X", CHECKED.values(), ids=CHECKED)
def test_arrays_are_checked_as_scikit_learn_checks_them(X):
    ours, peer = PCA(), PCA()
    found = check_rows(ours, X, reset=True)
    expected = validate_data(peer, X, dtype=float_types(np.asarray(X)))
    assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert vars(ours) == vars(peer)


def test_a_plain_array_is_not_copied():
    X = np.eye(3)
    assert check_rows(PCA(), X, reset=True) is X


REFUSED = {
    "not finite": np.full((3, 2), np.nan),
    "infinite": np.full((3, 2), np.inf, np.float32),
    "another width": np.eye(3),
    "no rows": np.empty((0, 2)),
    "no columns": np.empty((3, 0)),
    "one dimension": np.ones(2),
    "three dimensions": np.ones((3, 2, 2)),
}


@pytest.mark.parametrize("X", REFUSED.values(), ids=REFUSED)
def test_arrays_are_refused_in_the_words_of_scikit_learn(X):
    fitted = PCA().fit(np.eye(3, 2))
    with pytest.raises(ValueError, match=r".") as expected:
        validate_data(fitted, X, reset=False)
    with pytest.raises(ValueError, match=re.escape(str(expected.value))):
        check_rows(fitted, X, reset=False)


def test_names_are_forgotten_when_an_array_is_fitted():
    estimator = PCA().fit(pd.DataFrame(np.eye(3), columns=list("abc")))
    with pytest.warns(UserWarning, match="valid feature names"):
        check_rows(estimator, np.eye(3), reset=False)
    check_rows(estimator, np.eye(3, 2), reset=True)
    assert not hasattr(estimator, "feature_names_in_")
    assert estimator.n_features_in_ == 2
