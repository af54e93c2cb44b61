"""Copies of fitted nets, and what they carry."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, LRScheduler

from sksparse_nn import SparseNetClassifier, SparseNetRegressor


def through_joblib(net):
    stream = io.BytesIO()
    joblib.dump(net, stream)
    stream.seek(0)
    return joblib.load(stream)


COPIES = {
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "joblib": through_joblib,
    "deepcopy": copy.deepcopy,
}


def classifier(**parameters):
    given = {"max_epochs": 4, "batch_size": 16, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given)


def stored_size(net):
    return len(pickle.dumps(net))


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_copy_answers_the_same_bits(blobs, how, dtype):
    X, y = blobs[0].astype(dtype), blobs[1]
    for net in (classifier().fit(X, y), SparseNetRegressor(max_epochs=2).fit(X, y)):
        assert_array_equal(COPIES[how](net).predict(X), net.predict(X))
        if hasattr(net, "predict_proba"):
            assert_array_equal(COPIES[how](net).predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_learns_on_as_the_original_does(blobs, how):
    X, y = blobs
    net = classifier(dropout=0.2).fit(X, y)
    twin = COPIES[how](net).partial_fit(X, y)
    assert_array_equal(twin.predict_proba(X), net.partial_fit(X, y).predict_proba(X))


def test_a_copy_shares_no_weights(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    expected = net.predict_proba(X)
    copy.deepcopy(net).partial_fit(X, y)
    assert_array_equal(net.predict_proba(X), expected)


def test_a_clone_trains_to_the_same_bits(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    assert_array_equal(clone(net).fit(X, y).predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_data_are_not_kept(early_stopping):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20000, 5)), np.arange(20000) % 2
    net = SparseNetClassifier((8,), max_epochs=2, early_stopping=early_stopping)
    small = stored_size(net.fit(X[:1000], y[:1000]))
    assert abs(stored_size(net.fit(X, y)) - small) < 500


def test_records_of_batches_are_not_kept(blobs):
    sizes = [
        stored_size(classifier(batch_size=batch_size).fit(*blobs))
        for batch_size in (1, 90)
    ]
    assert abs(sizes[0] - sizes[1]) < 100


def test_gradients_are_not_kept(blobs):
    net = classifier().fit(*blobs)
    assert all(weight.grad is None for weight in net.net_.module_.parameters())


class Hoarder(Callback):
    def initialize(self):
        self.hoard_ = np.zeros(10**6)
        return self


@pytest.mark.parametrize(
    "callback",
    [
        Hoarder(),
        EarlyStopping("train_loss", load_best=True),
        LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1),
        EpochScoring("accuracy", on_train=True),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_what_callbacks_gather_is_not_kept(blobs, callback):
    plain = stored_size(classifier().fit(*blobs))
    net = classifier(callbacks=[callback]).fit(*blobs)
    assert stored_size(net) < plain + 2000
    assert stored_size(copy.deepcopy(net)) < plain + 2000


@pytest.mark.skipif(torch.cuda.is_available(), reason="here the device is not absent")
@pytest.mark.filterwarnings("ignore::skorch.exceptions.DeviceWarning")
def test_a_net_of_an_absent_device_is_loaded_to_the_cpu(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    expected = net.predict_proba(X)
    net.net_.device = "cuda"
    loaded = pickle.loads(pickle.dumps(net))
    assert str(loaded.net_.device) == "cpu"
    assert_array_equal(loaded.predict_proba(X), expected)
