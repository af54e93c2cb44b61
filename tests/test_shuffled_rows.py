"""Rows on disk are learnt from in blocks, and rows in memory as ever."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn import SparseDictionaryCoder, SparseNetRegressor, TopKAutoencoder
from sksparse_nn._picked_rows import pick
from sksparse_nn._shuffled_rows import count_window, shuffle_rows
from sksparse_nn.solvers.dictionary import Samples

N_ROWS, WIDTH, BLOCK, WINDOW = 1000, 8, 10, 80


@pytest.fixture(name="X")
def rows():
    return np.random.default_rng(0).standard_normal((N_ROWS, WIDTH)).astype("f4")


@pytest.fixture
def on_disk(X, tmp_path, monkeypatch):
    monkeypatch.setattr("sksparse_nn._shuffled_rows.BLOCK", BLOCK * 4 * WIDTH)
    monkeypatch.setattr("sksparse_nn._shuffled_rows._WINDOW", WINDOW * 4 * WIDTH)
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


def test_rows_in_memory_are_permuted(X):
    order = shuffle_rows(X, N_ROWS, np.random.RandomState(0))
    assert_array_equal(order, np.random.RandomState(0).permutation(N_ROWS))


@pytest.mark.parametrize("size", [64, 300, 700, N_ROWS])
def test_mini_batches_in_memory_are_permuted(X, size):
    samples = Samples(X, np.ones(N_ROWS))
    samples.cut(size, np.random.RandomState(0))
    order = samples.draw_order(np.random.RandomState(1))
    expected = np.random.RandomState(1).permutation(-(-N_ROWS // size))
    assert_array_equal(order, expected)


def test_rows_on_disk_come_in_blocks_and_mixed(on_disk):
    for rows in (on_disk, np.asarray(on_disk), on_disk[:], pick(on_disk, np.arange(9))):
        assert count_window(rows, N_ROWS) == WINDOW
    order = shuffle_rows(on_disk, N_ROWS, np.random.RandomState(0))
    assert_array_equal(np.sort(order), np.arange(N_ROWS))
    for start in range(0, N_ROWS, WINDOW):
        window = order[start : start + WINDOW]
        assert len(np.unique(window // BLOCK)) <= WINDOW / BLOCK + 1
    assert len(np.unique(order[:WINDOW] // WINDOW)) > 2  # from all parts of the file
    assert np.abs(np.diff(order[:WINDOW])).min() > 0
    assert np.mean(np.diff(order) == 1) < 0.1


def test_a_small_file_is_shuffled_as_an_array_is(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    rows = np.load(tmp_path / "X.npy", mmap_mode="r")
    orders = [shuffle_rows(x, N_ROWS, np.random.RandomState(3)) for x in (X, rows)]
    assert_array_equal(*orders)


def test_mini_batches_of_a_window_stay_together(on_disk):
    samples, rng = Samples(on_disk, np.ones(N_ROWS)), np.random.RandomState(0)
    samples.cut(20, rng)
    order = samples.draw_order(rng)
    assert_array_equal(np.sort(order), np.arange(N_ROWS // 20))
    groups = order // (WINDOW // 20)
    assert np.count_nonzero(np.diff(groups)) == groups.max()
    assert_array_equal(samples.draw_order(), np.arange(len(order)))


@pytest.mark.parametrize(
    "estimator",
    [
        SparseDictionaryCoder(12, max_epochs=3, batch_size=50, random_state=0),
        TopKAutoencoder(12, n_nonzero_coefs=3, max_epochs=2, random_state=0),
        SparseNetRegressor((), max_epochs=2, random_state=0),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_is_learnt_from_disk_is_as_good(X, on_disk, estimator):
    y = X @ np.arange(WIDTH)
    losses = []
    for rows in (X, on_disk):
        history = estimator.fit(rows, y).history_
        losses.append(history.get("objective", history.get("train_loss"))[-1])
    assert losses[1] != losses[0]
    assert losses[1] == pytest.approx(losses[0], rel=0.1)
