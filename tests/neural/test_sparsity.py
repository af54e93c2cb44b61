"""Penalties that make weights and input columns exactly zero."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from sklearn.linear_model import Lasso, MultiTaskLasso
from skorch.callbacks import LRScheduler

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn.neural._optimizers import OPTIMIZERS
from sksparse_nn.neural._proximal import shrink_columns_, soft_threshold_


def zeros(net):
    weights = [layer.weight for layer in net.net_.module_ if hasattr(layer, "weight")]
    return sum(int((weight == 0).sum()) for weight in weights)


def columns(net):
    return net.net_.module_[0].weight.detach().numpy()


def linear(**parameters):
    """Train by all rows at once, in steps that end small."""
    decay = LRScheduler(torch.optim.lr_scheduler.ExponentialLR, gamma=0.985)
    rate = 1.0 if parameters["optimizer"] == "adagrad" else 0.05
    given = {"learning_rate": rate, "max_epochs": 400, "random_state": 0} | parameters
    return SparseNetRegressor((), callbacks=[decay], **given)


def best_column(weight, threshold):
    """Solve ``||z|| = r`` by bisection."""

    def too_long(r):
        return np.sum((weight / (r + threshold)) ** 2) - 1

    if np.linalg.norm(weight / threshold) <= 1:
        return np.zeros_like(weight)
    r = brentq(too_long, 0, np.linalg.norm(weight) + 1, xtol=1e-300, rtol=1e-14)
    return weight * r / (r + threshold)


def test_soft_threshold_is_the_proximal_map():
    weight = torch.tensor([[3.0, -3.0, 0.5, -0.5, 0.0]], dtype=torch.float64)
    soft_threshold_(weight, torch.tensor(1.0))
    assert weight.tolist() == [[2.0, -2.0, 0.0, 0.0, 0.0]]


def test_columns_shrink_by_their_norm():
    weight = torch.tensor([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]], dtype=torch.float64)
    shrink_columns_(weight, torch.tensor(1.0))
    assert_allclose(weight, [[2.4, 0.0, 0.0], [3.2, 0.0, 0.0]])


@pytest.mark.parametrize("spread", [0, 1, 3, 6])
def test_columns_shrink_in_the_metric_of_their_thresholds(spread):
    rng = np.random.default_rng(spread)
    weight = rng.standard_normal((16, 50)) * 10 ** rng.uniform(-3, 1, 50)
    threshold = 10 ** rng.uniform(-spread, 0.5, (16, 50))
    columns = zip(weight.T, threshold.T, strict=True)
    expected = np.stack([best_column(*column) for column in columns], axis=1)
    shrunk = torch.tensor(weight)
    shrink_columns_(shrunk, torch.tensor(threshold))
    assert_allclose(shrunk, expected, rtol=1e-10)


def test_a_threshold_of_zero_changes_nothing():
    weight = torch.tensor([[3.0, 0.0], [4.0, 0.0]])
    expected = weight.clone()
    shrink_columns_(weight, torch.tensor(0.0))
    soft_threshold_(weight, torch.tensor(0.0))
    assert torch.equal(weight, expected)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_linear_model_with_l1_is_the_lasso(line, optimizer):
    X, y = line
    net = linear(optimizer=optimizer, l1=0.2).fit(X, y)
    lasso = Lasso(0.2).fit(X, (y - y.mean()) / y.std())
    assert_allclose(columns(net)[0], lasso.coef_, atol=2e-3)
    assert_array_equal(columns(net)[0] == 0, lasso.coef_ == 0)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_linear_model_with_group_lasso_is_the_multi_task_lasso(line, optimizer):
    X, y = line
    Y = np.column_stack([y, X[:, 0] - X[:, 1], X[:, 1]])
    net = linear(optimizer=optimizer, group_lasso=0.1).fit(X, Y)
    lasso = MultiTaskLasso(0.3).fit(X, (Y - Y.mean(axis=0)) / Y.std(axis=0))
    assert_allclose(columns(net), lasso.coef_, atol=2e-3)
    assert_array_equal(columns(net) == 0, lasso.coef_ == 0)


def test_l1_makes_weights_exactly_zero(blobs):
    counts = [
        zeros(
            SparseNetClassifier(l1=l1, learning_rate=0.01, random_state=0).fit(*blobs)
        )
        for l1 in (0.0, 0.01, 0.1)
    ]
    assert counts[0] == 0
    assert 0 < counts[1] < counts[2]


def test_group_lasso_leaves_out_features_of_no_use(line):
    X, y = line
    net = SparseNetRegressor(
        (16,), group_lasso=0.1, learning_rate=0.01, max_epochs=150, random_state=0
    ).fit(X, y)
    used = np.abs(net.net_.module_[0].weight.detach().numpy()).sum(axis=0)
    assert np.all(used[:2] > 0)
    assert np.all(used[2:] == 0)
    assert net.score(X, y) > 0.9


def test_features_left_out_do_not_change_the_answer(line):
    X, y = line
    net = SparseNetRegressor(
        (16,), group_lasso=0.1, learning_rate=0.01, max_epochs=150, random_state=0
    ).fit(X, y)
    changed = X.copy()
    changed[:, 2:] = 100
    assert_allclose(net.predict(changed), net.predict(X))


def test_zeros_stay_through_early_stopping(blobs):
    net = SparseNetClassifier(
        l1=0.1, learning_rate=0.02, early_stopping=True, random_state=0
    )
    assert zeros(net.fit(*blobs)) > 0


def test_group_lasso_needs_a_first_layer_of_the_inputs(blobs):
    def bottleneck(n_features, n_outputs):
        return torch.nn.Sequential(
            torch.nn.Unflatten(1, (1, n_features)),
            torch.nn.Conv1d(1, 2, 3),
            torch.nn.Flatten(),
            torch.nn.Linear(2 * (n_features - 2), n_outputs),
        )

    with pytest.raises(ValueError, match="group_lasso needs a module"):
        SparseNetClassifier(module=bottleneck, group_lasso=0.1).fit(*blobs)
