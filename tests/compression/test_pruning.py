"""Networks with weights and neurons left out."""

import copy

import torch
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import LRScheduler

from sksparse_nn import (
    NetPruner,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._linear_layers import select_layers
from sksparse_nn.modules._pruned import PrunedLinear
from tests.compression.compressors import Steps, module_of


def test_weights_that_were_pruned_stay_zero_through_fine_tuning(digits, net):
    X, _, y, _ = digits
    small = NetPruner(FrozenEstimator(net), amount=0.9, fine_tune_epochs=2, n_steps=2)
    layers = select_layers(module_of(small.fit(X, y)), is_linear)
    assert all(isinstance(layer, PrunedLinear) for layer in layers)
    n_weights = sum(layer.in_features * layer.out_features for layer in layers)
    assert sum(layer.n_nonzero for layer in layers) <= round(0.1 * n_weights)


def test_no_layer_loses_all_its_weights(digits, net):
    X, _, y, _ = digits
    fitted = copy.deepcopy(net)
    with torch.no_grad():
        select_layers(module_of(fitted), is_linear)[-1].weight *= 1e-3
    small = NetPruner(FrozenEstimator(fitted), amount=0.95, fine_tune_epochs=0)
    layers = select_layers(module_of(small.fit(X, y)), is_linear)
    assert all(layer.n_nonzero > 0 for layer in layers)


def test_half_the_weights_of_a_regression_cost_next_to_nothing():
    X, y = make_friedman1(300, noise=0.5, random_state=0)
    net = SparseNetRegressor((64,), learning_rate=0.01, random_state=0).fit(X, y)
    small = NetPruner(FrozenEstimator(net)).fit(X, y)
    assert small.score(X, y) > net.score(X, y) - 0.02


def test_an_epoch_of_fine_tuning_has_as_many_steps_as_one_of_the_fit(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier((8,), max_epochs=3, callbacks=[Steps()], random_state=0)
    Steps.taken = 0
    net.fit(X, y)
    of_fit, Steps.taken = Steps.taken, 0
    NetPruner(FrozenEstimator(net), fine_tune_epochs=3).fit(X, y)
    assert Steps.taken == of_fit > 0


def test_neurons_that_were_pruned_are_gone(digits, net):
    X, _, y, _ = digits
    small = NetPruner(FrozenEstimator(net), amount=0.5, structure="neuron").fit(X, y)
    first, second, last = select_layers(module_of(small), is_linear)
    assert first.out_features + second.out_features == 64
    assert second.in_features == first.out_features
    assert last.in_features == second.out_features
    assert last.out_features == 10


def test_no_layer_loses_all_its_neurons(digits, net):
    X, _, y, _ = digits
    small = NetPruner(FrozenEstimator(net), amount=0.99, structure="neuron").fit(X, y)
    assert all(
        layer.out_features >= 1 for layer in select_layers(module_of(small), is_linear)
    )


def test_a_neuron_that_says_the_same_to_all_is_left_out_without_a_trace(digits):
    X, X_test, y, _ = digits
    net = SparseNetClassifier(
        (16,), activation="logistic", max_epochs=5, random_state=0
    ).fit(X, y)
    first, _, last = net.net_.module_
    with torch.no_grad():
        first.weight[3] = 0
        last.weight[:, 3] = 1e-6 + 0 * last.weight[:, 3]
    small = NetPruner(
        FrozenEstimator(net), amount=1 / 16, structure="neuron", fine_tune_epochs=0
    )
    answers = small.fit(X, y).predict_proba(X_test)
    assert_allclose(answers, net.predict_proba(X_test), rtol=1e-4)


def test_a_schedule_that_has_ended_does_not_hold_up_fine_tuning(digits):
    X, X_test, y, y_test = digits
    falling = LRScheduler(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=10)
    net = SparseNetClassifier(
        (32,), learning_rate=0.02, max_epochs=10, callbacks=[falling], random_state=0
    )
    small = NetPruner(net, amount=0.8, refit=False, fine_tune_epochs=0)
    tuned = clone(small).set_params(fine_tune_epochs=10).fit(X, y)
    assert tuned.score(X_test, y_test) > small.fit(X, y).score(X_test, y_test) + 0.05
