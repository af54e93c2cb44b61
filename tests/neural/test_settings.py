"""Settings of a module, an optimizer and callbacks as parameters of the networks."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping, EpochScoring

from sksparse_nn import NetQuantizer, SparseNetClassifier, SparseNetRegressor


class Narrow(torch.nn.Module):
    """A network whose width is a setting."""

    def __init__(self, n_features, n_outputs, width=4, bias=True):
        super().__init__()
        self.hidden = torch.nn.Linear(n_features, width, bias=bias)
        self.last = torch.nn.Linear(width, n_outputs)

    def forward(self, X):
        return self.last(torch.relu(self.hidden(X)))


def classifier(**parameters):
    given = {"learning_rate": 0.05, "max_epochs": 5, "random_state": 0} | parameters
    return SparseNetClassifier(**given)


def test_a_module_is_made_with_its_settings(blobs):
    net = classifier(module=Narrow, module_params={"width": 7}).fit(*blobs)
    assert net.net_.module_.hidden.out_features == 7


def test_one_setting_can_be_set_by_its_name(blobs):
    net = classifier(module=Narrow, module_params={"width": 7, "bias": False})
    given = net.module_params
    net.set_params(module__width=3)
    assert net.get_params()["module__width"] == 3
    assert net.get_params()["module__bias"] is False
    assert given == {"width": 7, "bias": False}
    assert clone(net).fit(*blobs).net_.module_.hidden.out_features == 3


@pytest.mark.parametrize("network", [SparseNetClassifier, SparseNetRegressor])
def test_settings_can_be_searched(blobs, network):
    grid = {"module__width": [2, 9], "optimizer__betas": [(0.9, 0.9), (0.8, 0.99)]}
    net = network(module=Narrow, learning_rate=0.02, max_epochs=6, random_state=0)
    search = GridSearchCV(net, grid, cv=2).fit(*blobs)
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    assert search.best_estimator_.module_params == {
        "width": search.best_params_["module__width"]
    }


def test_settings_can_be_searched_through_a_pipeline_and_a_compressor(blobs):
    net = make_pipeline(StandardScaler(), classifier(module=Narrow))
    grid = {"estimator__sparsenetclassifier__module__width": [3, 5]}
    search = GridSearchCV(NetQuantizer(net), grid, cv=2).fit(*blobs)
    assert len(search.cv_results_["mean_test_score"]) == 2


def test_an_optimizer_is_made_with_its_settings(blobs):
    net = classifier(optimizer="sgd", optimizer_params={"momentum": 0.5})
    group = net.fit(*blobs).net_.optimizer_.param_groups[0]
    assert group["momentum"] == 0.5
    assert group["nesterov"]


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        ("adamw", {"momentum": 0.5}),
        ("adam", {"betas": (0.9, 2.0)}),
        ("sgd", {"lr": 0.1}),
        ("sgd", {"weight_decay": 0.1}),
        (torch.optim.NAdam, {"nesterov": True}),
    ],
)
def test_settings_that_the_optimizer_does_not_take_are_refused(
    blobs, optimizer, settings
):
    net = classifier(optimizer=optimizer, optimizer_params=settings)
    with pytest.raises(ValueError, match=next(iter(settings))):
        net.fit(*blobs)


@pytest.mark.parametrize("module", [None, torch.nn.Linear(5, 3)])
def test_settings_without_a_module_to_make_are_refused(blobs, module):
    with pytest.raises(ValueError, match="module_params"):
        classifier(module=module, module_params={"width": 3}).fit(*blobs)


def test_a_named_callback_can_be_set_and_searched(blobs):
    stop = EarlyStopping("train_loss", patience=1, threshold=10.0)
    net = classifier(callbacks=[("stop", stop), EpochScoring("accuracy")])
    assert net.get_params()["callbacks__stop__patience"] == 1
    search = GridSearchCV(net, {"callbacks__stop__patience": [2, 3]}, cv=2)
    search.fit(*blobs)
    n_iter = search.best_estimator_.n_iter_
    assert n_iter == search.best_params_["callbacks__stop__patience"] + 1
    assert stop.patience == 1


@pytest.mark.parametrize(
    "name", ["callbacks__stop__patient", "callbacks__halt__patience", "callbacks__stop"]
)
def test_a_callback_or_parameter_that_is_not_there_is_named(name):
    net = classifier(callbacks=[("stop", EarlyStopping("train_loss"))])
    with pytest.raises(ValueError, match="stop__patience"):
        net.set_params(**{name: 2})


def test_a_parameter_that_is_not_there_is_refused_as_everywhere():
    with pytest.raises(ValueError, match="Invalid parameter"):
        classifier().set_params(modul__width=2)


def test_the_rows_given_are_measured(blobs):
    X, y = blobs
    net = classifier(max_epochs=4).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert net.n_iter_ == 4
    assert np.all(np.isfinite(net.history_["valid_loss"]))
    plain = classifier(max_epochs=4).fit(X[:60], y[:60])
    assert_array_equal(net.predict_proba(X), plain.predict_proba(X))


def test_the_rows_given_are_stopped_by(blobs):
    X, y = blobs
    net = classifier(early_stopping=True, n_iter_no_change=2, max_epochs=60)
    wrong = (y[60:] + 1) % 3
    net.fit(X[:60], y[:60], X_val=X[60:], y_val=wrong)
    losses = net.history_["valid_loss"].tolist()
    assert net.n_iter_ < 60
    assert net.n_iter_ == losses.index(min(losses)) + 3


def test_weights_of_the_rows_given_count(blobs):
    X, y = blobs
    weight = (y[60:] == 0).astype(float)
    weighted = classifier().fit(
        X[:60], y[:60], X_val=X[60:], y_val=y[60:], sample_weight_val=weight
    )
    zeros = y[60:] == 0
    chosen = classifier().fit(X[:60], y[:60], X_val=X[60:][zeros], y_val=y[60:][zeros])
    losses = [net.history_["valid_loss"].tolist() for net in (weighted, chosen)]
    assert losses[0] == pytest.approx(losses[1])


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"X_val": [[0.0] * 5]}, "X_val alone"),
        ({"y_val": [0]}, "y_val alone"),
        ({"sample_weight_val": [1.0]}, "sample_weight_val alone"),
        ({"X_val": [[0.0] * 4], "y_val": [0]}, "5 features"),
        ({"X_val": [[0.0] * 5], "y_val": [7]}, "X_val and y_val must .* classes"),
        ({"X_val": [[float("nan")] * 5], "y_val": [0]}, "NaN"),
    ],
    ids=str,
)
def test_rows_that_cannot_be_validated_on_are_refused(blobs, given, match):
    net = classifier()
    with pytest.raises(ValueError, match=match):
        net.fit(*blobs, **given)
    assert not hasattr(net, "net_")
