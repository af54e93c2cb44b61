"""Weights solved again behind neurons that were removed."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn._pipelines import transform_ahead
from sksparse_nn.compression import _refit, _samples
from sksparse_nn.modules._coded import CodedNetwork
from tests.compression.codes import CODING, sequence
from tests.compression.compressors import module_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def removing(net, amount=0.5, **parameters):
    parameters = {"fine_tune_epochs": 0} | parameters
    return NetPruner(net, amount=amount, structure="neuron", **parameters)


def classifier(*hidden, **parameters):
    parameters = {"learning_rate": 0.01, "max_epochs": 4} | parameters
    return SparseNetClassifier(hidden, random_state=0, **parameters)


def coded(coder, **parameters):
    return classifier(16, coder=coder, **parameters)


def atoms(**parameters):
    return SparseDictionaryCoder(20, max_epochs=2, random_state=0, **parameters)


NETWORKS = {
    "one layer": lambda: classifier(32),
    "three layers": lambda: classifier(32, 24, 16),
    "dropout": lambda: classifier(32, 16, dropout=0.2),
    "logistic": lambda: classifier(32, 16, activation="logistic"),
    "numbers": lambda: SparseNetRegressor((32,), max_epochs=4, random_state=0),
    "a pipeline": lambda: make_pipeline(StandardScaler(), classifier(32)),
    "factors": lambda: NetFactorizer(classifier(32, 32), rank=8),
    "a coder": lambda: coded(atoms()),
    "a coder apart": lambda: coded(atoms(), tune_coder=False),
    **{
        layer: lambda layer=layer: sequence(layer, nn.Dropout(0.1), max_epochs=3)
        for layer in CODING
    },
}


@pytest.fixture(scope="module")
def samples():
    X, y = load_digits(return_X_y=True)
    return (X[:400] / 16).astype(np.float32), y[:400]


@pytest.fixture(scope="module")
def fitted(samples):
    kept = {}

    def find(name):
        if name not in kept:
            kept[name] = FrozenEstimator(NETWORKS[name]().fit(*samples))
        return kept[name]

    return find


each_network = pytest.mark.parametrize("name", NETWORKS)


def layers_of(estimator):
    module = module_of(estimator)
    return module.as_sequence() if isinstance(module, CodedNetwork) else module


def inputs_of(estimator, X):
    """Return the input of the network, whatever comes ahead of it."""
    X = transform_ahead(estimator.estimator_, X)
    X = X.toarray() if sparse.issparse(X) else X
    return torch.from_numpy(np.asarray(X, np.float32))


@each_network
def test_nothing_removed_changes_nothing(fitted, samples, name):
    X, y = samples
    small = removing(fitted(name), amount=0.0).fit(X, y)
    assert_array_equal(small.predict(X), fitted(name).predict(X))
    as_it_was = removing(fitted(name), amount=0.0, refit=False).fit(X, y)
    for ours, theirs in zip(*map(parameters_of, (small, as_it_was)), strict=True):
        assert_array_equal(ours, theirs)


def parameters_of(estimator):
    return [p.detach().numpy() for p in module_of(estimator).parameters()]


@each_network
def test_outputs_stay_nearer_to_those_of_the_network(fitted, samples, name):
    X, y = samples
    errors = {}
    for refit in (True, False):
        small = removing(fitted(name), amount=0.6, refit=refit).fit(X, y)
        rows = inputs_of(small, X)
        whole = removing(fitted(name), amount=0.0, refit=False).fit(X, y)
        with torch.inference_mode():
            lost = layers_of(small)(rows) - layers_of(whole)(rows)
        errors[refit] = float((lost**2).sum())
    assert errors[True] < 0.8 * errors[False]


@each_network
def test_no_layer_loses_more_than_before(monkeypatch, fitted, samples, name):
    refit_last, lost = _refit._refit_last, []

    def refit_and_measure(*given):
        squares = []
        for step in (lambda *given: None, refit_last):
            step(*given)
            missing = np.vstack([lacks for _, lacks, _ in _refit._read_blocks(*given)])
            squares.append((missing**2).sum(axis=0))
        lost.append(squares)

    monkeypatch.setattr(_refit, "_refit_last", refit_and_measure)
    removing(fitted(name), amount=0.6).fit(*samples)
    for before, after in lost:
        assert np.all(after <= before * (1 + 1e-4) + 1e-6)
    assert len(lost) > 0


def test_neurons_are_kept_for_the_outputs_unless_weights_decide(fitted, samples):
    net, (X, y) = fitted("three layers"), samples
    layers = {}
    for criterion in ("layer_adaptive", "magnitude"):
        for refit in (True, False):
            small = removing(net, 0.6, criterion=criterion, refit=refit).fit(X, y)
            layers[criterion, refit] = module_of(small)[0].weight.detach().numpy()
    by_weights = layers["magnitude", False]
    assert_array_equal(layers["magnitude", True], by_weights)
    assert_array_equal(layers["layer_adaptive", False], by_weights)
    chosen = layers["layer_adaptive", True]
    assert chosen.shape != by_weights.shape or (chosen != by_weights).any()


def test_a_neuron_that_another_repeats_goes_without_a_trace(samples):
    X, y = samples
    net = classifier(16).fit(X, y)
    first = net.net_.module_[0]
    with torch.no_grad():
        first.weight[5] = 2 * first.weight[11]
        first.bias[5] = 2 * first.bias[11]
    small = removing(FrozenEstimator(net), amount=1 / 16).fit(X, y)
    assert_allclose(small.predict_proba(X), net.predict_proba(X), atol=1e-3)


def test_a_fifth_of_the_neurons_knows_digits_without_labels():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
    net = FrozenEstimator(classifier(64, 64, max_epochs=20).fit(X, y))
    assert removing(net, amount=0.8).fit(X, y).score(X_test, y_test) > 0.88
    plain = removing(net, amount=0.8, refit=False).fit(X, y)
    assert plain.score(X_test, y_test) < 0.6
    others = removing(net, amount=0.8).fit(X, np.roll(y, 1))
    assert others.score(X_test, y_test) > 0.88


@pytest.mark.parametrize("name", ["three layers", "lasso"])
def test_weights_equal_repetitions(fitted, samples, name):
    X, y = samples
    n_times = np.arange(len(X)) % 3 + 1
    weighted = removing(fitted(name)).fit(X, y, sample_weight=n_times)
    repeated = removing(fitted(name)).fit(np.repeat(X, n_times, 0), y.repeat(n_times))
    assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-2, atol=1e-4
    )


@pytest.mark.parametrize("name", ["three layers", "a coder", "soft"])
def test_sparse_rows_are_read_as_dense_ones(monkeypatch, fitted, samples, name):
    monkeypatch.setattr(_samples, "MOST_SAMPLES", 150)
    monkeypatch.setattr(_samples, "_BLOCK", 64)
    X, y = samples
    dense = removing(fitted(name)).fit(X, y)
    thin = removing(fitted(name)).fit(sparse.csr_matrix(X), y)
    assert_allclose(thin.predict_proba(X), dense.predict_proba(X), atol=1e-3)


def test_several_labels_and_numbers_stay(samples):
    X, y = samples
    longer = {"learning_rate": 0.01, "max_epochs": 20}
    regressor = SparseNetRegressor((32,), random_state=0, **longer)
    labels = np.column_stack([y % 2, y > 4])
    for net, Y in [(classifier(32, **longer), labels), (regressor, X[:, 20:23])]:
        small = removing(FrozenEstimator(net.fit(X, Y))).fit(X, Y)
        assert small.score(X, Y) > net.score(X, Y) - 0.1


def test_fewer_samples_than_neurons_are_enough(fitted, samples):
    X, y = (part[:12] for part in samples)
    small = removing(fitted("three layers"), amount=0.3).fit(X, y)
    lost = small.predict_proba(X) - fitted("three layers").predict_proba(X)
    assert np.abs(lost).max() < 0.02


def test_steps_refit_to_the_network_before_each(fitted, samples):
    X, y = samples
    slowly = removing(fitted("three layers"), n_steps=3, fine_tune_epochs=1).fit(X, y)
    assert slowly.score(X, y) > fitted("three layers").score(X, y) - 0.1


def test_fine_tuning_starts_from_the_refitted_weights(samples):
    X, y = samples
    net = classifier(32, learning_rate=1e-9).fit(X, y)
    answers = [
        removing(FrozenEstimator(net), fine_tune_epochs=n).fit(X, y).predict_proba(X)
        for n in (0, 2)
    ]
    assert_allclose(answers[1], answers[0], rtol=1e-3, atol=1e-5)


def test_networks_of_float64_stay_so(samples):
    X, y = samples

    def make(n_features, n_outputs):
        codes = CODING["soft"](torch.from_numpy(X[:20].copy()))
        return nn.Sequential(codes, nn.Linear(20, n_outputs)).double()

    net = SparseNetClassifier(module=make, max_epochs=2, random_state=0)
    small = removing(net).fit(X.astype(np.float64), y)
    assert {p.dtype for p in module_of(small).parameters()} == {torch.float64}


def test_samples_are_read_from_all_labels(monkeypatch, fitted, samples):
    monkeypatch.setattr(_samples, "MOST_SAMPLES", 100)
    X, y = samples
    order = np.argsort(y, kind="stable")
    small = removing(fitted("three layers")).fit(X[order], y[order])
    assert small.score(X, y) > fitted("three layers").score(X, y) - 0.1
