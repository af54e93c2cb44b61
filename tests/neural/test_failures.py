"""Fits that fail or are interrupted."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback

from sksparse_nn import SparseNetClassifier, SparseNetRegressor


class Interrupt(Callback):
    """Raise in the middle of an epoch, as Ctrl-C or a broken callback does."""

    def __init__(self, epoch, error=KeyboardInterrupt):
        self.epoch = epoch
        self.error = error

    def on_batch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise self.error


def classifier(**parameters):
    given = {"max_epochs": 5, "batch_size": 16, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given)


def broken_module(n_features, n_outputs):
    raise RuntimeError("no module today")


FAILURES = {
    "NaN in X": lambda net, X, y: net.fit(np.full_like(X, np.nan), y),
    "one row too few": lambda net, X, y: net.fit(X[:-1], y),
    "loss": lambda net, X, y: net.set_params(learning_rate=1e30).fit(X, y),
    "callback": lambda net, X, y: net.set_params(
        callbacks=[Interrupt(2, RuntimeError)]
    ).fit(X, y),
    "device": lambda net, X, y: net.set_params(device="nowhere").fit(X, y),
    "module": lambda net, X, y: net.set_params(module=broken_module).fit(X, y),
    "parameter": lambda net, X, y: net.set_params(dropout=2).fit(X, y),
    "partial_fit": lambda net, X, y: net.set_params(learning_rate=1e30).partial_fit(
        X, y
    ),
    "warm start": lambda net, X, y: net.set_params(
        learning_rate=1e30, warm_start=True
    ).fit(X, y),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_fit_that_raises_leaves_the_former_one(blobs, failure):
    X, y = blobs
    net = classifier().fit(X, y)
    expected, history = net.predict_proba(X), net.history_
    names = set(vars(net))
    with pytest.raises((ValueError, RuntimeError)):
        FAILURES[failure](net, X.copy(), y)
    assert set(vars(net)) == names
    assert net.history_ is history
    assert_array_equal(net.predict_proba(X), expected)
    net.set_params(learning_rate=1e-3, device="cpu", module=None, dropout=0.0)
    net.set_params(callbacks=None, warm_start=False).partial_fit(X, y)
    twin = classifier().fit(X, y).partial_fit(X, y)
    assert_array_equal(net.predict_proba(X), twin.predict_proba(X))


@pytest.mark.parametrize("failure", ["NaN in X", "loss", "callback", "device"])
def test_a_first_fit_that_raises_leaves_nothing(blobs, failure):
    net = classifier()
    with pytest.raises((ValueError, RuntimeError)):
        FAILURES[failure](net, *blobs)
    assert not [name for name in vars(net) if name.endswith("_") or name[0] == "_"]


@pytest.mark.parametrize("kind", [SparseNetClassifier, SparseNetRegressor])
def test_a_lost_loss_names_learning_rate_and_scaling(blobs, kind):
    net = kind(learning_rate=1e30, max_epochs=5)
    with pytest.raises(ValueError, match=r"learning_rate=1e\+30, .* scaling"):
        net.fit(*blobs)


def test_the_scale_of_the_input_is_named_where_it_is_to_blame(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="StandardScaler"):
        SparseNetRegressor().fit(X * np.float32(1e30), y)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("epoch", [1, 3])
def test_an_interrupt_keeps_what_was_learnt(blobs, epoch, early_stopping):
    X, y = blobs
    net = classifier(callbacks=[Interrupt(epoch)], early_stopping=early_stopping)
    with pytest.warns(UserWarning, match="interrupted by user"):
        net.fit(X, y)
    assert net.n_iter_ == len(net.history_["train_loss"]) == epoch - 1
    assert net.predict_proba(X).shape == (90, 3)
    net.set_params(callbacks=None).partial_fit(X, y)
    assert net.n_iter_ == epoch


@pytest.mark.parametrize("device", ["cuda:99", "nowhere", "xpu"])
def test_a_device_that_is_not_there_is_told_before_any_work(device):
    with pytest.raises(ValueError, match="device must be one that torch can use"):
        SparseNetClassifier(device=device).fit("no data", "at all")


def returns_text(n_features, n_outputs):
    return "no module"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes must be integers > 0"),
        ({"hidden_layer_sizes": (8, 2.5)}, "hidden_layer_sizes must be integers > 0"),
        ({"activation": "step"}, "'activation' parameter"),
        ({"optimizer": "newton"}, "'optimizer' parameter"),
        ({"learning_rate": 0.0}, "'learning_rate' parameter"),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"class_weight": "even"}, "'class_weight' parameter"),
        ({"label_smoothing": 1.0}, "'label_smoothing' parameter"),
        ({"callbacks": ["print"]}, "callbacks must hold skorch callbacks"),
        ({"module": returns_text}, "must return a torch.nn.Module"),
        ({"module": torch.nn.Linear(5, 7)}, r"rows of n_outputs=3. Got shape \(1, 7\)"),
        ({"module": torch.nn.Softplus()}, "rows of n_outputs=3"),
    ],
    ids=lambda given: str(given).split(" at 0x")[0],
)
def test_a_useless_parameter_is_named(blobs, parameters, message):
    with pytest.raises(ValueError, match=message):
        SparseNetClassifier(**parameters).fit(*blobs)


def test_a_module_without_parameters_is_refused():
    with pytest.raises(ValueError, match="parameters to train"):
        SparseNetClassifier(module=torch.nn.Softplus()).fit(np.eye(2), [0, 1])
