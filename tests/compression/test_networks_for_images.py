"""Compressors on networks whose samples are images of bytes."""

import pickle
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
    for_prediction,
)
from sksparse_nn.inspection import LayerActivations

NAMES = ["resnet8", "plain_conv_net", "patch_net"]
SMALLER = {
    "weights": lambda net: NetPruner(net, amount=0.3, fine_tune_epochs=1),
    "dynamic": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "weights of 4 bits": lambda net: NetQuantizer(net, scheme="weight_only", n_bits=4),
    "answers": NetFactorizer,
    "channels": lambda net: NetPruner(net, amount=0.25, structure="channel"),
}


@cache
def images():
    X, y = load_digits(return_X_y=True)
    return (15 * X[:500]).astype(np.uint8).reshape(-1, 1, 8, 8), y[:500]


@cache
def fitted(name):
    net = SparseNetClassifier(
        module=name,
        module_params={"width": 8},
        learning_rate=0.01,
        max_epochs=15,
        random_state=0,
    )
    return net.fit(*images())


@pytest.mark.parametrize("way", SMALLER)
@pytest.mark.parametrize("name", NAMES)
def test_networks_for_images_are_made_smaller(name, way):
    if way == "channels" and name != "plain_conv_net":
        pytest.importorskip("torch_pruning")
    X, y = images()
    net = fitted(name)
    small = SMALLER[way](FrozenEstimator(net)).fit(X, y)
    assert small.score(X, y) > net.score(X, y) - 0.1
    twin = pickle.loads(pickle.dumps(for_prediction(small)))
    assert_array_equal(twin.predict_proba(X), small.predict_proba(X))
    rows = X.reshape(len(X), -1)
    assert_allclose(small.predict_proba(rows), small.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_networks_for_images_are_reported(name):
    X, y = images()
    net = fitted(name)
    report = compression_report({"net": net}, X, y)
    assert report["parameters"].iloc[0] > 1000


def test_layers_of_networks_for_images_are_read():
    X, _ = images()
    net = fitted("plain_conv_net")
    reader = LayerActivations(FrozenEstimator(net), layer="network.0")
    found = reader.fit(X).transform(X)
    assert len(found) == len(X)
