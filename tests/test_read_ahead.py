"""Blocks of a file that rows lie in are asked for, each once."""

import mmap

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sksparse_nn import (
    SparseDictionaryCoder,
    SparseNetClassifier,
    TopKAutoencoder,
    _read_ahead,
)
from sksparse_nn._picked_rows import pick
from sksparse_nn._read_ahead import ReadAhead, find_file, take_rows

N_ROWS, WIDTH, N_BLOCKS = 6000, 16, 10
BLOCK = N_ROWS * WIDTH * 4 // N_BLOCKS
OFFSET = 100

pytestmark = pytest.mark.skipif(
    not hasattr(mmap.mmap, "madvise"), reason="this system takes no advice"
)


class Spy(mmap.mmap):
    """A mapped file that notes what it is asked for."""

    def madvise(self, option, *where):
        super().madvise(option, *where)
        if option == mmap.MADV_WILLNEED:
            start, length = where
            vars(self).setdefault("asked", []).append((start, start + length))
        else:
            vars(self)["is_random"] = option == mmap.MADV_RANDOM


def map_array(values, path, offset=0):
    path.write_bytes(bytes(offset) + values.tobytes())
    with path.open("r+b") as file:
        mapped = Spy(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, values.dtype, offset=offset).reshape(values.shape)


@pytest.fixture(name="X")
def rows_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(_read_ahead, "BLOCK", BLOCK)
    monkeypatch.setattr("sksparse_nn._shuffled_rows.BLOCK", BLOCK)
    monkeypatch.setattr("sksparse_nn._shuffled_rows._WINDOW", 4 * BLOCK)
    X = np.random.default_rng(0).standard_normal((N_ROWS, WIDTH)).astype("f4")
    return map_array(X, tmp_path / "X", OFFSET)


def asked_of(values):
    return getattr(find_file(values), "asked", [])


def covered(values, offset=OFFSET):
    """Return whether each byte of an array was asked for."""
    found = np.zeros(len(find_file(values)), bool)
    for start, stop in asked_of(values):
        found[start:stop] = True
    return found[offset:]


def announce(X, *parts):
    with ReadAhead(X) as ahead:
        for rows in parts:
            ahead.announce(np.asarray(rows))


def test_what_rows_need_is_asked_for_once(X):
    announce(X, [1, 5, 650, 5999], [4, 25, 610, 5700])
    found = covered(X)
    for block in (0, 1, 9):
        assert found[block * BLOCK : (block + 1) * BLOCK].all()
    assert not found[2 * BLOCK + mmap.PAGESIZE : 9 * BLOCK - mmap.PAGESIZE].any()
    assert sum(stop - start for start, stop in asked_of(X)) < 4 * BLOCK


def test_requests_are_small(X, monkeypatch):
    monkeypatch.setattr(_read_ahead, "_REQUEST", 2 * mmap.PAGESIZE)
    announce(X, np.arange(0, N_ROWS, 100))
    assert max(stop - start for start, stop in asked_of(X)) == 2 * mmap.PAGESIZE
    assert covered(X).all()


def test_nothing_around_them_is_read_meanwhile(X):
    with ReadAhead(X):
        assert find_file(X).is_random
    assert not find_file(X).is_random
    with pytest.raises(KeyboardInterrupt), ReadAhead(X):
        raise KeyboardInterrupt
    assert not find_file(X).is_random


@pytest.mark.parametrize(
    ("rows_of", "first"),
    [
        (lambda X: X[1200:], 1200),
        (lambda X: pick(X, np.array([4000, 3])), 3600),
        (lambda X: np.asarray(X)[600:].reshape(-1, 4, 4), 600),
    ],
    ids=["view", "picked", "images"],
)
def test_rows_are_found_in_views(X, rows_of, first):
    announce(rows_of(X), [0])
    found = covered(X)
    assert found[first * 4 * WIDTH : first * 4 * WIDTH + BLOCK].all()
    assert found.mean() < 1.5 / N_BLOCKS + 0.02


def test_rows_all_over_a_large_file_are_not(X, monkeypatch):
    monkeypatch.setattr(_read_ahead, "_MOST", 5 * BLOCK)
    announce(X, np.arange(0, N_ROWS, 7))
    assert asked_of(X) == []
    with ReadAhead(X) as ahead:
        for start in range(0, N_ROWS, 300):
            ahead.announce(np.arange(start, start + 300))
            assert len(ahead._known) <= 5
    assert covered(X).all()


def test_both_arrays_of_sparse_rows_are_read_ahead(X, tmp_path):
    thin = sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0))
    mapped = sparse.csr_matrix(thin.shape, dtype=np.float32)
    mapped.data = map_array(thin.data, tmp_path / "data")
    mapped.indices = map_array(thin.indices, tmp_path / "indices")
    mapped.indptr = thin.indptr
    announce(mapped, np.arange(N_ROWS))
    assert covered(mapped.data, 0).all()
    assert covered(mapped.indices, 0).all()


@pytest.mark.parametrize(
    "kind", [np.asarray, sparse.csr_matrix, lambda X: pick(X, np.arange(90)[::-1])]
)
def test_rows_are_taken_in_any_order(X, kind):
    data, rows = kind(X), np.array([60, 3, 3, 88, 0])
    taken, expected = take_rows(data, rows), data[rows]
    if sparse.issparse(taken):
        taken, expected = taken.toarray(), expected.toarray()
    assert_array_equal(taken, expected)
    assert asked_of(X) == []


@pytest.mark.parametrize("rows", [np.empty(0, int), np.arange(5)])
def test_rows_in_memory_need_nothing(rows):
    X = np.ones((20, 3))
    for data in (X, X.T.copy().T, sparse.csr_matrix(X), pick(X, np.arange(9))):
        announce(data, rows)
        assert ReadAhead(data)._parts == []


def test_systems_that_take_no_advice_read_as_ever(X, monkeypatch):
    monkeypatch.setattr(_read_ahead, "hasattr", lambda *_: False, raising=False)
    announce(X, np.arange(5))
    assert asked_of(X) == []


@pytest.mark.parametrize(
    "estimator",
    [
        SparseDictionaryCoder(5, max_epochs=2, batch_size=50),
        SparseDictionaryCoder(5, max_epochs=2, batch_size=50, early_stopping=True),
        TopKAutoencoder(5, n_nonzero_coefs=2, max_epochs=2),
        SparseNetClassifier((), max_epochs=2),
        SparseNetClassifier((), max_epochs=2, early_stopping=True),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_mini_batches_are_announced_and_stay_the_same(X, estimator, monkeypatch):
    y = (X[:, 0] > 0).astype(int)
    found = estimator.set_params(random_state=0).fit(X, y).history_
    assert covered(X).all()
    n_bytes = sum(stop - start for start, stop in asked_of(X))
    assert n_bytes < 5 * X.nbytes  # held-out rows lie in all blocks too
    assert not find_file(X).is_random
    monkeypatch.setattr(ReadAhead, "announce", lambda *_: None)
    again = estimator.fit(X, y).history_
    for name in found.keys() - {"dur"}:
        assert_array_equal(found[name], again[name])
