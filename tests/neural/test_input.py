"""Input of every type and layout."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn.neural._batches import BatchIterator, TrainingSamples, dense_rows


def fitted(X, y, **parameters):
    given = {"max_epochs": 5, "batch_size": 16, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given).fit(X, y)


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


LAYOUTS = {
    "F-ordered": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "read-only F-ordered": lambda X: read_only(np.asfortranarray(X)),
    "CSR": sparse.csr_array,
    "CSR matrix": sparse.csr_matrix,
    "CSC": sparse.csc_array,
    "COO": sparse.coo_array,
    "DataFrame": pd.DataFrame,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_layout_changes_no_bit(blobs, layout, early_stopping):
    X, y = blobs
    X = np.where(X > 0, X, 0)
    expected = fitted(X, y, early_stopping=early_stopping).predict_proba(X)
    laid_out = LAYOUTS[layout](X)
    net = fitted(laid_out, y, early_stopping=early_stopping)
    assert_allclose(net.predict_proba(laid_out), expected, rtol=1e-5)


def test_a_memmap_is_read_where_it_lies(blobs, tmp_path):
    X, y = blobs
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    expected = fitted(X, y).predict_proba(X)
    assert_array_equal(fitted(mapped, y).predict_proba(mapped), expected)


@pytest.mark.parametrize(
    ("given", "trained"),
    [
        (np.float16, torch.float32),
        (np.float32, torch.float32),
        (np.float64, torch.float64),
        (np.int64, torch.float32),
        (np.uint8, torch.float32),
        (bool, torch.float32),
    ],
)
def test_float64_trains_in_float64_and_all_else_in_float32(blobs, given, trained):
    X, y = blobs
    X = (10 * np.abs(X)).astype(given)
    net = fitted(X, y)
    assert {weight.dtype for weight in net.net_.module_.parameters()} == {trained}
    assert torch.from_numpy(net.predict_proba(X)).dtype == trained


@pytest.mark.parametrize("used", [np.float16, np.float32, np.float64, np.int32, "csr"])
@pytest.mark.parametrize("fitted_on", [np.float32, np.float64])
def test_a_net_takes_other_float_types_than_it_was_fitted_on(blobs, fitted_on, used):
    X, y = blobs
    X = np.round(4 * X)
    net = fitted(X.astype(fitted_on), y)
    given = sparse.csr_array(X) if used == "csr" else X.astype(used)
    expected = net.predict_proba(X.astype(fitted_on))
    assert_allclose(net.predict_proba(given), expected, rtol=1e-5)
    assert net.partial_fit(given, y).predict_proba(X).dtype == fitted_on


def test_regression_answers_in_the_float_type_of_the_target(line):
    X, y = line
    for dtype in (np.float32, np.float64):
        net = SparseNetRegressor(max_epochs=2).fit(X, y.astype(dtype))
        assert net.predict(X.astype(np.float32)).dtype == dtype


@pytest.mark.parametrize("own_module", [False, True])
def test_input_is_left_as_it_was(blobs, own_module):
    def in_place(n_features, n_outputs):
        relu = torch.nn.ReLU(inplace=True)
        return torch.nn.Sequential(relu, torch.nn.Linear(n_features, n_outputs))

    X, y = blobs
    given = X.copy()
    net = fitted(given, y, module=in_place if own_module else None, batch_size=512)
    net.predict(given)
    net.predict(given[:1])
    assert_array_equal(given, X)


def test_rows_of_csr_are_made_dense_a_batch_at_a_time(monkeypatch):
    heights = []
    to_dense = sparse.csr_array.toarray

    def spy(self, *args, **kwargs):
        heights.append(self.shape[0])
        return to_dense(self, *args, **kwargs)

    monkeypatch.setattr(sparse.csr_array, "toarray", spy)
    X = sparse.random_array((200, 30), density=0.3, format="csr", rng=0)
    fitted(X, np.arange(200) % 2)
    assert max(heights) == 16


@pytest.mark.parametrize("make", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_rows_are_copied_in_the_order_asked_for(make):
    X = np.arange(12.0).reshape(4, 3)
    rows = np.array([2, 0, 2])
    given = make(X)
    taken = dense_rows(given, rows)
    assert_array_equal(taken, X[rows])
    assert not np.shares_memory(taken, X)


def test_an_epoch_takes_every_row_once():
    samples = TrainingSamples(np.arange(23.0).reshape(-1, 1))
    samples.shuffle = np.random.RandomState(0)
    first, second = (
        np.concatenate([inputs["X"][:, 0] for inputs, _ in BatchIterator(samples, 5)])
        for _ in range(2)
    )
    assert_array_equal(np.sort(first), np.arange(23))
    assert_array_equal(np.sort(second), np.arange(23))
    assert not np.array_equal(first, second)


def test_clean_arrays_get_the_checks_they_need(blobs):
    X, y = blobs
    net = fitted(X, y)
    with pytest.raises(ValueError, match="contains NaN"):
        net.predict(np.full((1, 5), np.nan))
    with pytest.raises(ValueError, match="6 features"):
        net.predict(np.zeros((1, 6)))
    with pytest.raises(ValueError, match="2D array"):
        net.predict(np.zeros(5))
    with pytest.raises(ValueError, match="minimum of 1"):
        net.predict(np.zeros((0, 5)))


def test_names_of_features_are_kept_and_checked(blobs):
    X, y = blobs
    frame = pd.DataFrame(X, columns=list("abcde"))
    net = fitted(frame, y)
    assert_array_equal(net.feature_names_in_, list("abcde"))
    with pytest.warns(UserWarning, match="valid feature names"):
        net.predict(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.predict(frame)


@pytest.mark.parametrize("part", [slice(None), slice(1000, None)])
def test_a_large_matrix_is_not_copied(part):
    X = np.random.default_rng(0).standard_normal((4000, 1000)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    net.fit(X[:50], y[:50])  # imports what it needs
    tracemalloc.start()
    try:
        net.fit(X[part], y[part]).predict(X[part])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.25 * X.nbytes


class Wrapped:
    """Becomes an array when asked to, and says nothing of its type before."""

    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype=dtype)


def test_doubles_that_only_become_an_array_stay_doubles(line):
    X, y = line
    net = SparseNetRegressor(max_epochs=2, random_state=0)
    expected = net.fit(X, y).predict(X)
    assert_array_equal(net.fit(Wrapped(X), Wrapped(y)).predict(Wrapped(X)), expected)
