"""The part held out, and the weights that early stopping goes back to."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import log_loss

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn.neural._batches import TrainingSamples
from sksparse_nn.neural._holdout import hold_out


def split(X, strata=None, weight=None, *, fraction=0.2, seed=0):
    return hold_out(
        TrainingSamples(X, weight=weight),
        np.zeros(X.shape[0], dtype=int) if strata is None else strata,
        fraction=fraction,
        random_state=np.random.RandomState(seed),
    )


@pytest.fixture
def rows():
    return np.random.default_rng(0).standard_normal((1000, 3)).astype(np.float32)


@pytest.fixture
def noisy():
    """Labels that can be learnt by heart only."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    return X, (X[:, 0] + 2 * rng.standard_normal(200) > 0).astype(int)


def early(**parameters):
    given = {"learning_rate": 0.03, "max_epochs": 80, "random_state": 0} | parameters
    return SparseNetClassifier((32,), early_stopping=True, **given)


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9])
def test_the_part_held_out_has_the_size_asked_for(rows, fraction):
    train, valid = split(rows, fraction=fraction)
    assert len(valid) == 1000 * fraction
    assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(1000))


@pytest.mark.parametrize("fraction", [1e-6, 1 - 1e-6])
def test_neither_part_is_empty(rows, fraction):
    assert min(map(len, split(rows, fraction=fraction))) == 1


def test_both_parts_hold_every_class_in_proportion(rows):
    strata = (np.arange(1000) % 10 == 0).astype(int)
    _, valid = split(rows, strata)
    assert strata[valid].sum() == 20
    assert len(valid) == 200


def test_copies_of_a_row_stay_on_one_side(rows):
    X = np.tile(rows[:50], (20, 1))
    train, valid = split(X)
    assert not {tuple(row) for row in X[train]} & {tuple(row) for row in X[valid]}


def test_the_order_of_rows_does_not_matter(rows):
    order = np.random.default_rng(1).permutation(1000)
    _, valid = split(rows)
    _, valid_of_shuffled = split(rows[order])
    assert_array_equal(np.sort(order[valid_of_shuffled]), valid)


@pytest.mark.parametrize(
    "convert", [sparse.csr_array, np.asfortranarray, np.float64, lambda X: X * 1.0]
)
def test_the_form_of_rows_does_not_matter(rows, convert):
    X = np.where(rows > 0, rows, np.float32(-0.0))
    assert_array_equal(split(convert(X))[1], split(X)[1])


def test_weights_count_as_repeated_rows(rows):
    weight = np.random.default_rng(0).integers(1, 5, 1000)
    _, valid = split(rows, weight=weight.astype(float))
    _, repeated = split(rows.repeat(weight, axis=0))
    assert_array_equal(np.unique(np.arange(1000).repeat(weight)[repeated]), valid)


def test_seeds_draw_different_parts(rows):
    assert not np.array_equal(split(rows)[1], split(rows, seed=1)[1])


def test_the_part_is_drawn_without_regard_to_the_values():
    X = np.arange(1000.0).reshape(-1, 1)
    means = [X[split(X, seed=seed)[1]].mean() for seed in range(20)]
    assert_allclose(np.mean(means), 499.5, atol=25)


@pytest.mark.parametrize("X", [np.ones((1, 3)), np.ones((5, 3))])
def test_rows_that_cannot_be_split_are_refused(X):
    with pytest.raises(ValueError, match="two different rows"):
        split(X)


def test_training_stops_where_the_loss_no_longer_falls(noisy):
    net = early(n_iter_no_change=3, tol=0).fit(*noisy)
    losses = net.history_["valid_loss"].tolist()
    assert net.n_iter_ < 80
    assert np.argmin(losses) == len(losses) - 4


def test_the_best_weights_are_restored(noisy):
    X, y = noisy
    net = early(n_iter_no_change=20, max_epochs=40).fit(X, y)
    losses = net.history_["valid_loss"].tolist()
    held = split(X, y, fraction=0.1, seed=net._seed)[1]
    assert np.argmin(losses) < len(losses) - 1
    assert_allclose(log_loss(y[held], net.predict_proba(X[held])), min(losses))


def test_the_part_held_out_is_not_trained_on(noisy):
    X, y = noisy
    net = early(max_epochs=1).fit(X, y)
    held = split(X, y, fraction=0.1, seed=net._seed)[1]
    poisoned = y.copy()
    poisoned[held] = poisoned[held][::-1]
    again = early(max_epochs=1).fit(X, poisoned)
    assert_array_equal(net.predict_proba(X), again.predict_proba(X))


def test_the_scale_of_the_target_is_not_learnt_from_the_part_held_out(line):
    X, y = line
    net = SparseNetRegressor(early_stopping=True, max_epochs=1, random_state=0)
    held = split(X, fraction=0.1, seed=net.fit(X, y)._seed)[1]
    expected = net.predict(X)
    assert_array_equal(
        net.fit(X, y + 1e3 * np.isin(np.arange(120), held)).predict(X), expected
    )


def test_a_warm_start_holds_the_same_rows_out(noisy):
    X, y = noisy
    net = early(warm_start=True, max_epochs=2).fit(X, y)
    before = split(X, y, fraction=0.1, seed=net._seed)[1]
    net.fit(X, y)
    assert_array_equal(split(X, y, fraction=0.1, seed=net._seed)[1], before)
