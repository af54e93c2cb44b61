"""Rows that stay sparse through the first layer."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from skorch.callbacks import Callback, GradientNormClipping, LRScheduler

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn.modules import _sparse_input
from sksparse_nn.modules._perceptron import Perceptron, stays_sparse, store_by_feature
from sksparse_nn.modules._sparse_input import sparse_rows

DTYPES = [np.float32, np.float64]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def text_like(n_rows=300, n_features=200, dtype=np.float32):
    X = sparse.random_array(
        (n_rows, n_features), density=0.05, format="csr", rng=0, dtype=dtype
    )
    return X, (X[:, :20].sum(axis=1) > 0.5).astype(int)


@pytest.fixture
def never_sparse(monkeypatch):
    def patch():
        monkeypatch.setattr(_sparse_input, "_DENSITY", -1)

    return patch


SETTINGS = {
    "hidden layers": {},
    "linear": {"hidden_layer_sizes": ()},
    "dropout": {"dropout": 0.3},
    "l1": {"l1": 0.001},
    "group lasso": {"group_lasso": 0.001},
    "weight decay": {"optimizer": "sgd", "weight_decay": 0.01},
    "decay in Adam's gradient": {"optimizer": "adam", "weight_decay": 0.01},
    "decay apart from it": {"optimizer": "adamw", "weight_decay": 0.1},
    "another Adam": {"optimizer": partial(torch.optim.Adam, amsgrad=True)},
    "falling learning rate": {
        "callbacks": [LRScheduler(torch.optim.lr_scheduler.ExponentialLR, gamma=0.7)]
    },
    "early stopping": {"early_stopping": True},
    "balanced": {"class_weight": "balanced"},
}


@every_dtype
@pytest.mark.parametrize("name", SETTINGS)
def test_training_is_that_of_dense_rows(never_sparse, dtype, name):
    X, y = text_like(dtype=dtype)
    parameters = {"hidden_layer_sizes": (16,), "max_epochs": 5, "batch_size": 32}
    net = SparseNetClassifier(**(parameters | SETTINGS[name]), random_state=0)
    thin = copy.deepcopy(net).fit(X, y)
    assert stays_sparse(X, thin.net_.module_)
    answers = thin.predict_proba(X)
    never_sparse()
    dense = net.fit(X, y)
    assert not stays_sparse(X, dense.net_.module_)
    rtol = 2e-3 if dtype == np.float32 else 1e-9
    assert_allclose(answers, dense.predict_proba(X), rtol=rtol)
    assert_allclose(answers, thin.predict_proba(X.toarray()), rtol=1e-4)


@every_dtype
def test_the_optimizer_is_left_as_torch_would_leave_it(dtype):
    """A callback that asks for gradients lets torch make the steps."""

    class Watch(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            assert all(weight.grad is not None for _, weight in named_parameters)

    X, y = text_like(dtype=dtype)
    net = SparseNetClassifier((8,), max_epochs=3, batch_size=32, random_state=0)
    nets = [copy.deepcopy(net).set_params(callbacks=c) for c in (None, [Watch()])]
    ours, torchs = (
        fitted.net_.optimizer_.state[fitted.net_.module_[0].weight]
        for fitted in (net.fit(X, y) for net in nets)
    )
    assert ours.keys() == torchs.keys()
    for name in ours:
        rtol = 1e-3 if dtype == np.float32 else 1e-10
        assert_allclose(ours[name], torchs[name], rtol=rtol, atol=1e-9)


class Faster(Callback):
    """Raise the learning rate by new groups, as loading a state does."""

    def on_epoch_end(self, net, **kwargs):
        state = copy.deepcopy(net.optimizer_.state_dict())
        for group in state["param_groups"]:
            group["lr"] *= 3
        net.optimizer_.load_state_dict(state)


class Clamp(Callback):
    """Look at gradients by hooks."""

    def __init__(self, on_weight):
        self.on_weight = on_weight

    def on_train_begin(self, net, **kwargs):
        def clamp(optimizer, *arguments):
            for parameter in optimizer.param_groups[0]["params"]:
                parameter.grad.clamp_(-1e-4, 1e-4)

        if self.on_weight:
            weight = net.module_[0].weight
            weight.register_hook(lambda gradient: gradient.clamp(-1e-4, 1e-4))
        else:
            net.optimizer_.register_step_pre_hook(clamp)


@pytest.mark.parametrize("callback", [Faster(), Clamp(True), Clamp(False)])
def test_callbacks_find_the_optimizer_as_with_dense_rows(never_sparse, callback):
    X, y = text_like(dtype=np.float64)
    net = SparseNetClassifier((8,), max_epochs=3, batch_size=32, random_state=0)
    net.set_params(callbacks=[callback])
    answers = copy.deepcopy(net).fit(X, y).predict_proba(X)
    never_sparse()
    assert_allclose(answers, net.fit(X, y).predict_proba(X))


def test_gradients_can_be_clipped(never_sparse):
    X, y = text_like(dtype=np.float64)
    net = SparseNetClassifier(
        (8,), max_epochs=3, callbacks=[GradientNormClipping(0.01)], random_state=0
    )
    answers = net.fit(X, y).predict_proba(X)
    never_sparse()
    assert_allclose(answers, net.fit(X, y).predict_proba(X))


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr("sksparse_nn.neural._sparse_adam._WORTH_THREADS", 0)
    X, y = text_like()
    answers = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        net = SparseNetClassifier((8,), max_epochs=3, random_state=0)
        answers.append(net.fit(X, y).predict_proba(X))
    assert_array_equal(*answers)


def test_regression_and_partial_fit_stay_sparse_too(never_sparse):
    X, y = text_like(dtype=np.float64)
    Y = np.stack([X @ np.ones(200), y], axis=1)
    net = SparseNetRegressor((8,), batch_size=32, random_state=0)
    thin = copy.deepcopy(net).partial_fit(X, Y).partial_fit(X, Y).predict(X)
    never_sparse()
    assert_allclose(thin, net.partial_fit(X, Y).partial_fit(X, Y).predict(X))


def test_no_batch_is_made_dense(monkeypatch):
    def refuse(*arguments):
        pytest.fail("made dense")

    monkeypatch.setattr("sksparse_nn.neural._batches.dense_rows", refuse)
    monkeypatch.setattr("sksparse_nn.modules._run._tensor", refuse)
    X, y = text_like()
    SparseNetClassifier((8,), max_epochs=2, random_state=0).fit(X, y).predict(X)


@every_dtype
def test_the_gradient_is_that_of_the_dense_product(dtype):
    X, _ = text_like(40, 12, dtype)
    layers = [torch.nn.Linear(12, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)]
    module = Perceptron(*layers).to(getattr(torch, np.dtype(dtype).name))
    store_by_feature(module[0])
    gradients = []
    for rows in (sparse_rows(X, dtype), torch.from_numpy(X.toarray())):
        module.zero_grad()
        module(rows).square().sum().backward()
        gradients.append([p.grad.clone().numpy() for p in module.parameters()])
    for thin, dense in zip(*gradients, strict=True):
        assert_allclose(thin, dense, rtol=1e-4, atol=1e-6)


def test_empty_rows_and_columns_are_no_exception():
    X, y = text_like()
    X = sparse.csr_array(X.multiply((np.arange(300) % 3 > 0)[:, None]))
    X = X.astype(np.float32)
    net = SparseNetClassifier((8,), max_epochs=3, random_state=0).fit(X, y)
    nothing = sparse.csr_array((2, 200), dtype=np.float32)
    assert_allclose(net.predict_proba(nothing), net.predict_proba(np.zeros((2, 200))))


def test_where_the_weights_lie_survives_copies_and_storage():
    X, y = text_like()
    net = SparseNetClassifier((8,), max_epochs=2, random_state=0).fit(X, y)
    expected = net.predict_proba(X)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin.net_.module_[0].weight.t().is_contiguous()
        assert_array_equal(twin.predict_proba(X), expected)
    again = pickle.loads(pickle.dumps(net)).partial_fit(X, y)
    assert_array_equal(again.predict_proba(X), net.partial_fit(X, y).predict_proba(X))


def test_wide_text_needs_no_dense_copy():
    rng = np.random.default_rng(0)
    indptr = 50 * np.arange(2001)
    indices = rng.integers(50_000, size=100_000)
    X = sparse.csr_array((rng.random(100_000, np.float32), indices, indptr))
    X = sparse.csr_array(X, shape=(2000, 50_000))
    y = np.arange(2000) % 2
    net = SparseNetClassifier((16,), max_epochs=1, random_state=0).fit(X, y)
    assert net.predict(X).shape == (2000,)


def test_features_that_a_group_lasso_switches_off_are_not_selected():
    X, y = text_like(600)
    net = SparseNetClassifier(
        (16,),
        group_lasso=0.02,
        learning_rate=0.01,
        max_epochs=30,
        batch_size=256,
        random_state=0,
    ).fit(X, y)
    importances = net.feature_importances_
    assert importances.shape == (200,)
    assert_allclose(importances.sum(), 1)
    assert_array_equal(net.selected_features_, np.flatnonzero(importances))
    assert 5 < len(net.selected_features_) < 120
    assert importances[:20].mean() > 3 * importances[20:].mean()


def test_a_module_whose_first_layer_is_no_matrix_has_no_importances(blobs):
    def bottleneck(n_features, n_outputs):
        return torch.nn.Sequential(
            torch.nn.Unflatten(1, (1, n_features)),
            torch.nn.Conv1d(1, 2, 3),
            torch.nn.Flatten(),
            torch.nn.Linear(2 * (n_features - 2), n_outputs),
        )

    net = SparseNetClassifier(module=bottleneck, max_epochs=1).fit(*blobs)
    assert not hasattr(net, "feature_importances_")
    assert not hasattr(net, "selected_features_")


def test_hooks_of_the_first_layer_are_called_with_dense_rows():
    X, y = text_like()
    net = SparseNetClassifier((8,), max_epochs=1, random_state=0).fit(X, y)
    expected, seen = net.predict_proba(X), []
    first = net.net_.module_[0]
    handle = first.register_forward_hook(lambda layer, inputs, out: seen.append(out))
    found = net.predict_proba(X)
    handle.remove()
    assert [out.shape for out in seen] == [(300, 8)]
    assert_allclose(found, expected, rtol=1e-5)
    assert stays_sparse(X, net.net_.module_)
