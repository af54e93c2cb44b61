"""Compressed networks as their users see them, and what the report counts of any."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.frozen import FrozenEstimator
from torch import nn

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
)


class _Reuses(nn.Module):
    """A user's module that takes the weights of its layer."""

    def __init__(self):
        super().__init__()
        self.hidden, self.o = nn.Linear(64, 64), nn.Linear(64, 10)

    def forward(self, X):
        hidden = torch.relu(self.hidden(X))
        return nn.functional.linear(hidden, self.o.weight, self.o.bias)


@pytest.fixture(scope="module", name="digits")
def digits_in_float32():
    X, y = load_digits(return_X_y=True)
    return (X[:600] / 16).astype(np.float32), y[:600]


def test_a_module_may_read_the_weights_of_its_layers(digits):
    X, y = digits
    net = SparseNetClassifier(module=_Reuses(), max_epochs=5, random_state=0).fit(X, y)
    for small in (
        NetQuantizer(FrozenEstimator(net), scheme="weight_only"),
        NetPruner(FrozenEstimator(net), amount=0.3, fine_tune_epochs=0),
    ):
        assert small.fit(X, y).score(X, y) > net.score(X, y) - 0.05
    with pytest.raises(ValueError, match="Layer 'o' of the network is never called"):
        NetQuantizer(FrozenEstimator(net), scheme="static").fit(X, y)


@pytest.mark.parametrize(
    "make",
    [
        lambda net: NetPruner(net, amount=0.2),
        lambda net: NetPruner(net, amount=0.2, structure="neuron"),
        NetQuantizer,
        lambda net: NetQuantizer(net, scheme="weight_only", n_bits=4),
        NetFactorizer,
        lambda net: NetQuantizer(NetFactorizer(net, rank=10)),
    ],
    ids=["weights", "neurons", "int8", "4 bits", "rank", "rank, int8"],
)
def test_features_are_selected_by_compressed_networks(make, digits):
    X, y = digits
    net = SparseNetClassifier((24,), max_epochs=4, random_state=0)
    plain = net.fit(X, y).feature_importances_
    small = make(net).fit(X, y)
    assert np.corrcoef(small.feature_importances_, plain)[0, 1] > 0.7
    inner = small.estimator_
    inner = getattr(inner, "estimator_", inner)
    assert_allclose(inner.feature_importances_, small.feature_importances_)
    chosen = SelectFromModel(small, prefit=True, max_features=20, threshold=-np.inf)
    assert chosen.transform(X).shape == (600, 20)
    assert RFE(make(net), n_features_to_select=32, step=32).fit(X, y).n_features_ == 32


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(64, 64), nn.Linear(64, 64)
        self.two.weight = self.one.weight
        self.head = nn.Linear(64, 2)

    def forward(self, X):
        return self.head(self.two(self.one(self.one(X))))


class Bent(nn.Module):
    def __init__(self):
        super().__init__()
        self.bend = nn.Bilinear(64, 64, 2)

    def forward(self, X):
        return self.bend(X, X)


def _counts(module):
    X = np.random.default_rng(0).random((40, 64), dtype=np.float32)
    y = np.arange(40) % 2
    net = SparseNetClassifier(module=module, max_epochs=1, random_state=0).fit(X, y)
    n_parameters = sum(p.numel() for p in net.net_.module_.parameters())
    return compression_report({"net": net}, X, y).loc["net"], n_parameters


COUNTED = {
    "convolution": ([nn.Conv2d(1, 3, 3, padding=1), nn.Flatten()], (1, 8, 8), 27 * 64),
    "strided": ([nn.Conv2d(1, 4, 4, stride=4), nn.Flatten()], (1, 8, 8), 64 * 4),
    "grouped": ([nn.Conv1d(8, 8, 3, groups=4), nn.Flatten()], (8, 8), 8 * 2 * 3 * 6),
    "norm": ([nn.BatchNorm2d(1), nn.Flatten()], (1, 8, 8), 0),
    "no affine": ([nn.BatchNorm2d(1, affine=False), nn.Flatten()], (1, 8, 8), 0),
    "layer norm, PReLU": ([nn.LayerNorm(64), nn.PReLU()], (64,), 0),
    "places": ([nn.Linear(8, 5), nn.Flatten()], (8, 8), 8 * 5 * 8),
}


@pytest.mark.parametrize("name", COUNTED)
def test_every_layer_is_counted(name):
    layers, shape, work = COUNTED[name]
    body = nn.Sequential(nn.Unflatten(1, shape), *map(copy.deepcopy, layers))
    width = body(torch.zeros(2, 64)).shape[1]
    row, n_parameters = _counts(nn.Sequential(body, nn.Linear(width, 2)))
    assert row.parameters == n_parameters
    assert row.multiply_adds == work + 2 * width


def test_a_shared_weight_is_counted_once_and_works_twice():
    row, n_parameters = _counts(Tied())
    assert row.parameters == n_parameters
    assert row.multiply_adds == 3 * 64 * 64 + 128


def test_a_layer_of_unknown_work_is_named():
    with pytest.raises(
        TypeError, match=r"multiply-adds of Bilinear \('bend' of the network\)"
    ):
        _counts(Bent())
