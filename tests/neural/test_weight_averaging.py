"""Moving averages of the weights."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from skorch.callbacks import Callback
from torch import nn

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier


def normalised(n_features, n_outputs):
    return nn.Sequential(nn.BatchNorm1d(n_features), nn.Linear(n_features, n_outputs))


class Watcher(Callback):
    """Note the floats of the module before the first step and after each."""

    def __init__(self, notes):
        self.notes = notes

    def note(self, net):
        values = net.module_.state_dict().values()
        self.notes.append([v.clone() for v in values if v.is_floating_point()])

    def on_train_begin(self, net, **kwargs):
        self.note(net)

    def on_batch_end(self, net, training=None, **kwargs):
        if training:
            self.note(net)


def average(notes, decay):
    """Return the moving average of what was noted, step by step."""
    mean = notes[0]
    for step, values in enumerate(notes[1:]):
        kept = min(decay, (1 + step) / (10 + step))
        mean = [kept * m + (1 - kept) * v for m, v in zip(mean, values, strict=True)]
    return mean


NETWORKS = {
    "hidden layers": {},
    "module": {"module": normalised},
    "coder": {"coder": SparseDictionaryCoder(6, alpha=0.1, max_epochs=1)},
    "optimizer": {"optimizer": "sgd"},
}


def classifier(**parameters):
    given = {"hidden_layer_sizes": (6,), "learning_rate": 0.02, "max_epochs": 6}
    return SparseNetClassifier(**given | {"random_state": 0} | parameters)


@pytest.mark.parametrize("decay", [0.5, 0.99])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_has_the_average_of_its_weights(name, decay, blobs):
    notes = []
    callbacks = [Watcher(notes)]
    net = classifier(**NETWORKS[name], weight_averaging=decay, callbacks=callbacks)
    net.fit(*blobs)
    found = net.net_.module_.state_dict().values()
    found = [values for values in found if values.is_floating_point()]
    for values, expected in zip(found, average(notes, decay), strict=True):
        assert_allclose(values, expected, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_goes_on_with_its_own_weights(name, blobs):
    plain = classifier(**NETWORKS[name]).fit(*blobs)
    averaged = classifier(**NETWORKS[name], weight_averaging=0.9).fit(*blobs)
    losses = [net.history_["train_loss"] for net in (plain, averaged)]
    assert_array_equal(*losses)
    assert not np.array_equal(
        plain.predict_proba(blobs[0]), averaged.predict_proba(blobs[0])
    )


def _pickled(net):
    return pickle.loads(pickle.dumps(net))


@pytest.mark.parametrize("copy", [deepcopy, _pickled])
def test_a_stream_is_averaged_through(copy, blobs):
    X, y = blobs
    options = {"weight_averaging": 0.9, "batch_size": 256, "max_epochs": 1}
    net = classifier(**options).partial_fit(X, y, classes=[0, 1, 2])
    plain = classifier(batch_size=256).partial_fit(X, y, classes=[0, 1, 2])
    for _ in range(4):
        net = copy(net).partial_fit(X, y)
        plain.partial_fit(X, y)
    assert_array_equal(net.history_["train_loss"], plain.history_["train_loss"])
    assert net.net_.average.n_steps == 5


def test_weights_that_are_put_in_are_taken_up(blobs):
    X, y = blobs
    net = classifier(weight_averaging=0.9, learning_rate=1e-9)
    net.partial_fit(X, y, classes=[0, 1, 2])
    with torch.no_grad():
        net.net_.module_[-1].weight.fill_(2.0)
    net.partial_fit(X, y)
    assert_allclose(net.net_.module_[-1].weight.detach(), 2.0, rtol=1e-5)


def test_held_out_losses_are_those_of_the_average(blobs):
    X, y = blobs
    net = classifier(weight_averaging=0.95).fit(X, y, X_val=X, y_val=y)
    loss = -np.log(net.predict_proba(X)[np.arange(len(y)), y]).mean()
    assert net.history_["valid_loss"][-1] == pytest.approx(loss, rel=1e-5)


def test_early_stopping_keeps_the_best_average(blobs):
    X, y = blobs
    net = classifier(
        weight_averaging=0.8, early_stopping=True, max_epochs=30, learning_rate=0.3
    )
    net.fit(X, y, X_val=X, y_val=y)
    loss = -np.log(net.predict_proba(X)[np.arange(len(y)), y]).mean()
    assert loss == pytest.approx(net.history_["valid_loss"].min(), rel=1e-5)


def test_an_average_keeps_the_zeros_of_a_penalty(blobs):
    X, y = blobs
    X = np.hstack([X, np.random.default_rng(0).normal(size=X.shape)])
    options = {"group_lasso": 0.05, "max_epochs": 60, "learning_rate": 0.03}
    plain = classifier(**options).fit(X, y)
    net = classifier(weight_averaging=0.9, **options).fit(X, y)
    assert_array_equal(net.selected_features_, plain.selected_features_)
    assert len(net.selected_features_) < 10


def test_sparse_samples_give_the_same_average(blobs):
    X, y = blobs
    X = np.hstack([X * (X > 0.5), np.zeros((len(X), 60), np.float32)])
    net = classifier(weight_averaging=0.9)
    dense = net.fit(X, y).predict_proba(X)
    assert_allclose(net.fit(sparse.csr_array(X), y).predict_proba(X), dense, atol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 1.0, "fast"])
def test_a_decay_that_cannot_be_is_refused(decay, blobs):
    with pytest.raises(ValueError, match="weight_averaging"):
        classifier(weight_averaging=decay).fit(*blobs)
