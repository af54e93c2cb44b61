"""Early stopping of networks, and the weights that it goes back to."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn._holdout import hold_out


def split(X, strata=None, *, fraction=0.2, seed=0):
    return hold_out(
        X,
        np.ones(X.shape[0]),
        strata,
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
