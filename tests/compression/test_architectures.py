"""Every compressor on networks of all kinds: made smaller, or refused in words."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from torch import nn

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
    for_prediction,
)
from sksparse_nn.compression._layer_sums import count_calls, sum_outputs
from sksparse_nn.inspection import attribute
from sksparse_nn.modules._facts import is_convolution, traits
from sksparse_nn.modules._linear_layers import multiplies_by_weights, select_layers
from tests.compression.architectures import KNOWN, REFUSED, ReadsWeights
from tests.compression.compressors import module_of

SMALLER = {
    "weights": lambda net: NetPruner(net, amount=0.5, fine_tune_epochs=1),
    "weights, first order": lambda net: NetPruner(
        net, amount=0.3, criterion="first_order", n_steps=2, fine_tune_epochs=1
    ),
    "dynamic": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "weights of 8 bits": lambda net: NetQuantizer(net, scheme="weight_only"),
    "dynamic, refitted": lambda net: NetQuantizer(net, refit=True),
    "weights of 4 bits": lambda net: NetQuantizer(net, scheme="weight_only", n_bits=4),
    "rank": lambda net: NetFactorizer(net, rank=0.98),
    "ranks of all layers": NetFactorizer,
    "ranks, no refit": lambda net: NetFactorizer(net, refit=False),
    "three kernels": lambda net: NetFactorizer(net, method="tucker2"),
    "pruned, then integers": lambda net: NetQuantizer(
        NetPruner(net, amount=0.3, fine_tune_epochs=0)
    ),
    "factors, then integers": lambda net: NetQuantizer(NetFactorizer(net)),
    "channels": lambda net: NetPruner(
        net, amount=0.25, structure="channel", fine_tune_epochs=0
    ),
    "channels without refit": lambda net: NetPruner(
        net, amount=0.25, structure="channel", refit=False, fine_tune_epochs=3
    ),
    "channels, then factors, then integers": lambda net: NetQuantizer(
        NetFactorizer(
            NetPruner(net, amount=0.1, structure="channel", fine_tune_epochs=0)
        )
    ),
}
WITHOUT_CHANNELS = ["one layer", "control flow"]
PLAIN_SEQUENCES = {"one dimension", "without linear layers"}
ways = pytest.mark.parametrize("make", SMALLER.values(), ids=SMALLER)


@pytest.fixture(scope="module")
def fitted(digits):
    X, _, y, _ = digits
    nets = {}

    def fit(name):
        if name not in nets:
            torch.manual_seed(0)
            net = SparseNetClassifier(
                module=KNOWN[name](), learning_rate=0.01, max_epochs=10, random_state=0
            )
            nets[name] = net.fit(X[:600], y[:600])
        return nets[name]

    return fit


def removes_channels(small):
    while not isinstance(small, FrozenEstimator):
        if getattr(small, "structure", None) == "channel":
            return True
        small = small.estimator
    return False


def largest_weight(estimator):
    """Return the largest weight, which sets the steps of integers."""
    layers = select_layers(module_of(estimator), multiplies_by_weights)
    return max(float(layer.weight.detach().abs().max()) for layer in layers)


def made(make, net, name=None):
    """Return a compressor; skip what needs Torch-Pruning where it is absent."""
    small = make(FrozenEstimator(net))
    if removes_channels(small) and name not in PLAIN_SEQUENCES:
        pytest.importorskip("torch_pruning")
    return small


@pytest.mark.parametrize("name", WITHOUT_CHANNELS)
def test_networks_without_hidden_channels_are_refused(digits, fitted, name):
    X, _, y, _ = digits
    small = made(SMALLER["channels"], fitted(name))
    with pytest.raises(ValueError, match="needs hidden channels"):
        small.fit(X[:100], y[:100])


@ways
@pytest.mark.parametrize("name", KNOWN)
def test_answers_are_nearly_kept_and_no_layer_is_passed_over(
    digits, fitted, make, name
):
    X, X_test, y, y_test = digits
    net = fitted(name)
    before = net.predict_proba(X_test)
    small = made(make, net, name)
    if removes_channels(small) and name in WITHOUT_CHANNELS:
        return  # they are refused
    small.fit(X[:600], y[:600])
    assert small.score(X_test, y_test) > net.score(X_test, y_test) - 0.15
    assert largest_weight(small) < 20 * largest_weight(net)
    assert_allclose(
        small.predict_proba(X_test[:1]), small.predict_proba(X_test)[:1], atol=1e-5
    )
    assert_array_equal(net.predict_proba(X_test), before)
    stored = pickle.loads(pickle.dumps(for_prediction(small)))
    assert_array_equal(stored.predict_proba(X_test), small.predict_proba(X_test))
    check_layers(small, net)


def check_layers(small, net):
    layers = select_layers(module_of(small), multiplies_by_weights)
    n_before = len(select_layers(net.net_.module_, multiplies_by_weights))
    assert len(layers) >= n_before
    if isinstance(small, NetQuantizer):
        assert all(traits(layer).holds_integers for layer in layers)
    if isinstance(small, NetPruner) and small.structure == "weight":
        n_weights = sum(layer.weight.numel() for layer in layers)
        n_zeros = sum(int((layer.weight == 0).sum()) for layer in layers)
        assert n_zeros == pytest.approx(small.amount * n_weights, abs=1)


@ways
def test_reports_count_what_is_left(digits, fitted, make):
    X, _, y, _ = digits
    net = fitted("residual")
    small = made(make, net).fit(X[:100], y[:100])
    report = compression_report({"float": net, "small": small}, X[:100], y[:100])
    module = module_of(small)
    n_weights = sum(
        layer.weight.numel() for layer in select_layers(module, multiplies_by_weights)
    )
    assert report.parameters["small"] == pytest.approx(n_weights, rel=0.1)
    assert report.bytes_memory["small"] <= report.bytes_memory["float"]
    n_new = len(list(module.modules())) - len(list(net.net_.module_.modules()))
    allowed = 1000 * max(n_new, 1)  # a layer without weights takes some bytes too
    assert report.bytes_disk["small"] < report.bytes_disk["float"] + allowed


def test_a_given_module_is_not_stored_beside_the_network(digits):
    X, _, y, _ = digits
    module = nn.Sequential(nn.Linear(64, 500), nn.ReLU(), nn.Linear(500, 10))
    net = SparseNetClassifier(module=module, max_epochs=1).fit(X, y)
    slim = for_prediction(net)
    n_bytes = sum(weight.nbytes for weight in module.parameters())
    assert len(pickle.dumps(slim)) < 1.2 * n_bytes
    assert_array_equal(slim.predict_proba(X), net.predict_proba(X))
    with pytest.raises(ValueError, match="left out the Sequential"):
        clone(slim).fit(X, y)
    assert net.module is module
    n_before = len(pickle.dumps(net))
    assert len(pickle.dumps(net.partial_fit(X, y))) < 1.1 * n_before


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("way", ["weights", "dynamic", "three kernels"])
def test_features_of_compressed_convolutions_are_attributed(digits, fitted, way):
    X, X_test, y, _ = digits
    small = SMALLER[way](FrozenEstimator(fitted("plain"))).fit(X[:100], y[:100])
    found = attribute(small, X_test[:3], outputs="predicted")
    assert found.features.shape == (3, 1, 64)


def test_ranks_are_those_of_the_outputs(digits, fitted):
    X, _, y, _ = digits
    net = fitted("plain")
    factorizer = NetFactorizer(FrozenEstimator(net), rank=0.99).fit(X, y)
    module, images = net.net_.module_, torch.from_numpy(X).reshape(-1, 1, 8, 8)
    with torch.no_grad():
        products = module.body[2](module.body[1](module.body[0](images)))
    rows = products.movedim(1, -1).reshape(-1, 16).numpy()
    squares = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    needed = int(np.searchsorted(np.cumsum(squares) / squares.sum(), 0.99)) + 1
    assert abs(factorizer.ranks_[1] - needed) <= 1


@pytest.mark.parametrize("name", ["one layer", "tokens"])
def test_weights_count_as_repetitions_in_the_sums(digits, fitted, name):
    X, module = digits[0][:40], fitted(name).net_.module_
    n_times, n_calls = np.arange(40) % 3, count_calls(module, (X, None))
    weighted = sum_outputs(module, n_calls, (X, n_times.astype(float)))
    repeated = sum_outputs(module, n_calls, (np.repeat(X, n_times, axis=0), None))
    for layer in n_calls:
        one, other = weighted[layer].centred(), repeated[layer].centred()
        assert_allclose(one[0], other[0], atol=1e-5)
        assert_allclose(one[1] * n_times.max(), other[1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", ["svd", "tucker2"])
def test_layers_share_the_weights_that_are_left(digits, fitted, method):
    X, _, y, _ = digits
    net = fitted("residual")
    small = NetFactorizer(FrozenEstimator(net), amount=0.4, method=method).fit(X, y)
    layers = select_layers(net.net_.module_, multiplies_by_weights)
    n_before = sum(p.numel() for layer in layers for p in layer.parameters())
    layers = select_layers(module_of(small), multiplies_by_weights)
    n_after = sum(p.numel() for layer in layers for p in layer.parameters())
    assert 0.4 * n_before < n_after <= 0.6 * n_before
    assert np.mean(small.predict(X) == net.predict(X)) > 0.5
    if method == "tucker2":
        assert any(isinstance(rank, tuple) for rank in small.ranks_)


def test_one_layer_in_two_places_stays_one(digits, fitted):
    X, _, y, _ = digits
    net = fitted("one layer twice")
    small = module_of(NetQuantizer(FrozenEstimator(net)).fit(X, y))
    repeated = small.body[2]
    assert repeated.layer is repeated.again
    assert is_convolution(repeated.layer)


@ways
@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_passed_over_is_named(digits, make, name):
    X, _, y, _ = digits
    module, match = REFUSED[name]
    net = SparseNetClassifier(module=module(), max_epochs=1, random_state=0)
    net.fit(X[:50], y[:50])
    with pytest.raises(TypeError, match=rf"{match} \('.*' of the network\)"):
        make(FrozenEstimator(net)).fit(X[:50], y[:50])


def test_a_layer_that_never_runs_is_named_where_its_inputs_count(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier(module=ReadsWeights(), max_epochs=1, random_state=0)
    net = FrozenEstimator(net.fit(X, y))
    for make in (NetFactorizer, SMALLER["static"]):
        with pytest.raises(ValueError, match="'first' of the network is never called"):
            make(net).fit(X, y)
    small = NetQuantizer(net, scheme="weight_only").fit(X, y)
    assert small.predict(X[:2]).shape == (2,)


class _Seen(nn.Module):
    """Layers under two names, of which one is called twice, on some of the rows."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(64, 20), nn.ReLU())
        self.middle = nn.Linear(20, 20)
        self.whole = nn.Sequential(self.first, self.middle)
        self.head = nn.Linear(20, 10)

    def forward(self, X):
        hidden = self.whole(X)
        bright = X.mean(dim=1) > 0.3
        hidden[bright] = self.middle(torch.relu(hidden[bright]))
        return self.head(torch.relu(hidden) + self.first(X).mean(dim=0))


@ways
@pytest.mark.parametrize("weight", [None, 2.0])
def test_layers_may_have_two_names_and_other_rows(digits, make, weight):
    X, _, y, _ = digits
    torch.manual_seed(0)
    net = SparseNetClassifier(module=_Seen(), learning_rate=0.01, max_epochs=5)
    net.fit(X[:600], y[:600])
    weight = None if weight is None else np.full(600, weight)
    small = made(make, net).fit(X[:600], y[:600], sample_weight=weight)
    n_layers = len(select_layers(module_of(small), multiplies_by_weights))
    n_factors = sum(rank is not None for rank in getattr(small, "ranks_", []))
    assert n_layers == 3 + n_factors or isinstance(small.estimator, NetFactorizer)
    assert small.score(X[:600], y[:600]) > net.score(X[:600], y[:600]) - 0.15


@pytest.mark.parametrize("way", ["dynamic", "rank", "weights"])
def test_hooks_of_layers_still_act(digits, fitted, way):
    X, _, y, _ = digits
    net = copy.deepcopy(fitted("plain"))
    layers, seen = select_layers(net.net_.module_, multiplies_by_weights), []
    layers[1].register_forward_hook(lambda layer, given, out: 0 * out)
    layers[1].register_forward_pre_hook(lambda layer, given: seen.append(given))
    small = SMALLER[way](FrozenEstimator(net)).fit(X[:100], y[:100])
    n_before = len(seen)
    assert np.ptp(small.predict_proba(X), axis=0).max() == 0
    assert len(seen) > n_before


def test_float64_stays_float64(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier(module=KNOWN["plain"](), max_epochs=1, random_state=0)
    net.fit(X.astype(np.float64), y)
    assert net.net_.module_.head.weight.dtype == torch.float64
    for make in SMALLER.values():
        small = made(make, net).fit(X[:50].astype(np.float64), y[:50])
        assert all(
            weight.dtype == torch.float64 for weight in module_of(small).parameters()
        )
        assert small.predict_proba(X[:5].astype(np.float64)).dtype == np.float64


def test_the_modules_of_convolutions_are_public():
    from sksparse_nn import modules

    for name in ("PrunedConvolution", "QuantizedConvolution"):
        assert issubclass(getattr(modules, name), nn.Module)
