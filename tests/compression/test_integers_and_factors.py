"""Networks of small integers, and of low rank."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    for_prediction,
)
from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._linear_layers import select_layers
from sksparse_nn.modules._quantized import QuantizedLinear
from tests.compression.compressors import module_of


def test_integers_take_a_quarter_on_disk(digits):
    X = np.random.default_rng(0).standard_normal((500, 784)).astype(np.float32)
    y = np.arange(500) % 10
    net = SparseNetClassifier((512, 512), max_epochs=1, random_state=0).fit(X, y)
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    sizes = [len(pickle.dumps(for_prediction(one))) for one in (net, small)]
    assert sizes[0] / sizes[1] > 3.8
    four = NetQuantizer(FrozenEstimator(net), scheme="weight_only", n_bits=4)
    assert sizes[0] / len(pickle.dumps(for_prediction(four.fit(X, y)))) > 5.5


@pytest.mark.parametrize("n_bits", [8, 4])
def test_zeros_of_pruned_weights_take_a_bit_of_integers_too(net, digits, n_bits):
    X, X_test, y, _ = digits
    pruned = NetPruner(FrozenEstimator(net), amount=0.95).fit(X, y)
    sizes = []
    for one in (net, pruned):
        small = NetQuantizer(FrozenEstimator(one), scheme="weight_only", n_bits=n_bits)
        layers = select_layers(module_of(small.fit(X, y)), is_linear)
        sizes.append(sum(len(pickle.dumps(layer)) for layer in layers))
        twin = pickle.loads(pickle.dumps(small))
        assert_array_equal(twin.predict_proba(X_test), small.predict_proba(X_test))
    assert sizes[1] < 0.7 * sizes[0]


@pytest.mark.parametrize("scheme", ["dynamic", "static"])
def test_integers_answer_mnist_as_floats_do(data_dir, scheme):
    with np.load(data_dir / "mnist.npz") as file:
        X, y, X_test = (file[name] for name in ("X_train", "y_train", "X_test"))
    X, X_test = (pixels / np.float32(255) for pixels in (X[:20_000], X_test))
    net = SparseNetClassifier((512, 512), max_epochs=2, random_state=0)
    net.fit(X, y[:20_000])
    small = NetQuantizer(FrozenEstimator(net), scheme=scheme).fit(X, y[:20_000])
    assert np.mean(small.predict(X_test) == net.predict(X_test)) >= 0.99


@pytest.mark.parametrize("scheme", ["dynamic", "static", "weight_only"])
def test_integers_answer_as_floats_do(digits, net, scheme):
    X, X_test, y, _ = digits
    small = NetQuantizer(FrozenEstimator(net), scheme=scheme).fit(X, y)
    layers = select_layers(module_of(small), is_linear)
    assert all(isinstance(layer, QuantizedLinear) for layer in layers)
    assert np.mean(small.predict(X_test) == net.predict(X_test)) >= 0.99


def test_factors_that_would_not_pay_are_not_made(digits, net):
    X, _, y, _ = digits
    small = NetFactorizer(FrozenEstimator(net), rank=20).fit(X, y)
    assert small.ranks_ == [20, 20, None]
    assert len(select_layers(module_of(small), is_linear)) == 5
    assert NetFactorizer(FrozenEstimator(net), rank=40).fit(X, y).ranks_ == [None] * 3


def test_all_directions_answer_as_the_whole(digits):
    X, X_test, y, _ = digits
    net = SparseNetClassifier((200,), max_epochs=3, random_state=0).fit(X, y)
    with torch.no_grad():
        weight = net.net_.module_[0].weight
        weight.copy_(
            weight[:, :5]
            @ torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
        )
    small = NetFactorizer(FrozenEstimator(net), rank=0.999999).fit(X, y)
    assert small.ranks_[0] == 5
    assert_allclose(
        small.predict_proba(X_test), net.predict_proba(X_test), rtol=1e-3, atol=1e-6
    )
