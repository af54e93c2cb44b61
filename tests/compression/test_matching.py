"""Factors and integers whose layers are solved again, by what the network puts out."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from torch import nn

from sksparse_nn import NetFactorizer, NetPruner, NetQuantizer, SparseNetClassifier
from sksparse_nn.modules._facts import traits
from sksparse_nn.modules._linear_layers import multiplies_by_weights, select_layers
from tests.compression.architectures import KNOWN, Images
from tests.compression.compressors import module_of

SMALLER = {
    "weights": lambda net, **refit: NetPruner(
        net, amount=0.7, fine_tune_epochs=0, **refit
    ),
    "factors": lambda net, **refit: NetFactorizer(net, amount=0.4, **refit),
    "tucker2": lambda net, **refit: NetFactorizer(
        net, amount=0.4, method="tucker2", **refit
    ),
    "rank": lambda net, **refit: NetFactorizer(net, rank=4, **refit),
    "8 bits": NetQuantizer,
    "8 bits, weights": lambda net, **refit: NetQuantizer(
        net, scheme="weight_only", **refit
    ),
    "4 bits": lambda net, **refit: NetQuantizer(
        net, scheme="weight_only", n_bits=4, **refit
    ),
}
ways = pytest.mark.parametrize("make", SMALLER.values(), ids=SMALLER)


def train(module, digits, **parameters):
    X, _, y, _ = digits
    torch.manual_seed(0)
    settings = {"learning_rate": 0.01, "max_epochs": 10, "random_state": 0}
    return SparseNetClassifier(**settings | {"module": module} | parameters).fit(X, y)


@pytest.fixture(scope="module")
def nets(digits):
    return {
        "perceptron": train(None, digits, hidden_layer_sizes=(48, 32)),
        "plain": train(KNOWN["plain"](), digits),
        "residual": train(KNOWN["residual"](), digits),
        "depthwise": train(KNOWN["depthwise"](), digits),
    }


def distance(net, small, X):
    """Return the mean square by which logits differ."""
    return np.mean((net.decision_function(X) - small.decision_function(X)) ** 2)


@ways
@pytest.mark.parametrize("name", ["perceptron", "plain", "residual", "depthwise"])
def test_outputs_come_nearer(digits, nets, make, name):
    X, _, y, _ = digits
    net = nets[name]
    found, plain = (
        make(FrozenEstimator(net), refit=refit).fit(X, y) for refit in (True, False)
    )
    assert distance(net, found, X) < 0.95 * distance(net, plain, X)


def factorize_to_train(net, digits, method):
    """Return factors that are to be trained, but are not, and factors that are not."""
    X, _, y, _ = digits
    still = FrozenEstimator(deepcopy(net).set_params(learning_rate=1e-9))
    return [
        NetFactorizer(still, method=method, amount=0.8, fine_tune_epochs=n).fit(X, y)
        for n in (1, 0)
    ]


@pytest.mark.parametrize("method", ["svd", "tucker2"])
def test_factors_to_be_trained_have_smaller_weights(digits, nets, method):
    norms = [
        max(
            float(w.detach().norm())
            for w in module_of(small).parameters()
            if w.ndim > 1
        )
        for small in factorize_to_train(nets["residual"], digits, method)
    ]
    assert norms[0] < 0.9 * norms[1]


@pytest.mark.parametrize("method", ["svd", "tucker2"])
def test_factors_to_be_trained_are_as_near(digits, nets, method):
    net = nets["plain"]  # without normalisation, which training would change
    found, wanted = factorize_to_train(net, digits, method)
    assert distance(net, found, digits[0]) < 1.1 * distance(net, wanted, digits[0])


@ways
def test_what_is_solved_again_does_not_depend_on_chance(digits, nets, make):
    X, X_test, y, _ = digits
    twins = [make(FrozenEstimator(nets["plain"]), refit=True).fit(X, y) for _ in "12"]
    first, second = (twin.predict_proba(X_test) for twin in twins)
    np.testing.assert_array_equal(first, second)


@ways
def test_the_network_that_is_given_does_not_change(digits, nets, make):
    X, X_test, y, _ = digits
    before = nets["residual"].predict_proba(X_test)
    make(FrozenEstimator(nets["residual"]), refit=True).fit(X, y)
    np.testing.assert_array_equal(nets["residual"].predict_proba(X_test), before)


@pytest.mark.parametrize("name", ["perceptron", "plain", "residual", "depthwise"])
def test_the_same_weights_are_zero_with_and_without_a_refit(digits, nets, name):
    X, _, y, _ = digits
    net = FrozenEstimator(nets[name])
    found = [SMALLER["weights"](net, refit=refit).fit(X, y) for refit in (True, False)]
    layers = [select_layers(module_of(small), multiplies_by_weights) for small in found]
    for refitted, plain in zip(*layers, strict=True):
        refitted, plain = refitted.dense_matrix(), plain.dense_matrix()
        np.testing.assert_array_equal(refitted[plain == 0], 0)
        assert refitted.any() == plain.any()


def test_a_tenth_of_the_weights_knows_digits_without_labels(digits):
    X, X_test, y, y_test = digits
    net = SparseNetClassifier((64, 64), random_state=0).fit(X, y)
    small = NetPruner(FrozenEstimator(net), amount=0.9, fine_tune_epochs=0).fit(X, y)
    assert small.score(X_test, y_test) > net.score(X_test, y_test) - 0.05


def test_weights_of_wide_layers_only_go(digits):
    X, _, y, _ = digits
    net = train(nn.Sequential(nn.Linear(64, 4100), nn.Linear(4100, 10)), digits)
    small = NetPruner(FrozenEstimator(net), amount=0.5, fine_tune_epochs=0).fit(X, y)
    before = net.net_.module_[1].weight.detach().numpy()
    after = module_of(small)[1].dense_matrix()
    np.testing.assert_array_equal(after[after != 0], before[after != 0])


@pytest.mark.parametrize("amount", [0.2, 0.5, 0.8])
def test_as_many_weights_are_left_as_asked_for(digits, nets, amount):
    X, _, y, _ = digits
    net = nets["perceptron"]
    small = NetFactorizer(FrozenEstimator(net), amount=amount).fit(X, y)
    counts = [
        sum(values.numel() for values in module.parameters())
        for module in (net.net_.module_, module_of(small))
    ]
    assert (1 - amount) * counts[0] - 120 < counts[1] <= (1 - amount) * counts[0]


def test_layers_with_more_to_save_lose_more(digits, nets):
    X, _, y, _ = digits
    ranks = NetFactorizer(FrozenEstimator(nets["perceptron"]), amount=0.3).fit(X, y)
    assert ranks.ranks_[0] is not None
    assert ranks.ranks_[2] is None


@pytest.mark.parametrize("name", ["perceptron", "plain", "depthwise"])
def test_zeros_of_pruned_layers_stay_and_the_others_make_up(digits, nets, name):
    X, _, y, _ = digits
    pruned = NetPruner(FrozenEstimator(nets[name]), amount=0.6, fine_tune_epochs=0)
    pruned = FrozenEstimator(pruned.fit(X, y))
    small, plain = (
        NetQuantizer(pruned, scheme="weight_only", n_bits=4, refit=refit).fit(X, y)
        for refit in (True, False)
    )
    assert distance(pruned, small, X) < 0.95 * distance(pruned, plain, X)
    layers = select_layers(module_of(small), multiplies_by_weights)
    n_weights = sum(np.prod(layer.matrix_shape) for layer in layers)
    assert sum(layer.n_nonzero for layer in layers) <= 0.4 * n_weights + 1
    assert all(traits(layer).holds_integers for layer in layers)


def test_wide_layers_are_only_rounded(digits):
    X, X_test, y, y_test = digits
    net = train(nn.Sequential(nn.Linear(64, 4100), nn.Linear(4100, 10)), digits)
    small = NetQuantizer(FrozenEstimator(net), scheme="weight_only", n_bits=4)
    assert small.fit(X, y).score(X_test, y_test) > net.score(X_test, y_test) - 0.05


def test_amount_and_rank_are_not_both_given(digits, nets):
    X, _, y, _ = digits
    factorizer = NetFactorizer(FrozenEstimator(nets["plain"]), rank=3, amount=0.5)
    with pytest.raises(ValueError, match=r"amount needs rank='auto'. Got rank=3"):
        factorizer.fit(X, y)


class Choosing(nn.Module):
    """The second layer sees those samples for which the first one is positive."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(64, 32), nn.Linear(32, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, X):
        hidden = self.first(X)
        high = hidden[:, 0] > hidden[:, 1]
        other = torch.zeros_like(hidden)
        other[high] = self.second(hidden[high])
        return self.head(torch.relu(hidden + other))


def test_samples_that_layers_choose_are_refused_in_words(digits):
    X, _, y, _ = digits
    net = FrozenEstimator(train(Choosing(), digits))
    with pytest.raises(ValueError, match=r"'second.*of the network.*refit=False"):
        NetFactorizer(net, amount=0.5).fit(X, y)
    NetFactorizer(net, amount=0.5, refit=False).fit(X, y)


def test_weights_go_without_a_refit_where_layers_choose_samples(digits):
    X, _, y, _ = digits
    net = FrozenEstimator(train(Choosing(), digits))
    with pytest.raises(ValueError, match=r"'second.*of the network.*refit=False"):
        NetPruner(net, refit=True).fit(X, y)
    found, plain = (
        NetPruner(net, refit=refit, fine_tune_epochs=0).fit(X, y)
        for refit in ("auto", False)
    )
    np.testing.assert_array_equal(found.predict_proba(X), plain.predict_proba(X))


class Sleeping(Choosing):
    """The second layer sees none of the samples."""

    def forward(self, X):
        hidden = self.first(X)
        rest = self.second(hidden[X[:, 0] > 2])
        return self.head(torch.relu(hidden)) + rest.sum()


def test_a_layer_without_samples_is_named(digits):
    X, _, y, _ = digits
    net = FrozenEstimator(train(Sleeping(), digits))
    with pytest.raises(ValueError, match="'second' of the network sees none"):
        NetFactorizer(net, amount=0.5).fit(X, y)


def test_norms_are_folded_into_integers(digits):
    X, X_test, y, _ = digits
    layers = nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()
    net = train(Images(*layers, width=8), digits)
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    assert not any(isinstance(x, nn.BatchNorm2d) for x in module_of(small).modules())
    assert np.mean(small.predict(X_test) == net.predict(X_test)) > 0.98
