"""Networks without some of their channels."""

import copy
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from torch import nn

from sksparse_nn import NetPruner, SparseNetClassifier
from sksparse_nn.compression import (
    _channel_refit,
    _layer_sums,
    _matching,
    _samples,
)
from sksparse_nn.compression._channels import count_channels, find_couplings
from sksparse_nn.compression._narrowing import narrow
from sksparse_nn.modules import _layer_rows
from sksparse_nn.modules._linear_layers import multiplies_by_weights, select_layers
from tests.compression.channels import GRAPHS, PLAIN, REFUSED_CHANNELS, Joined, images
from tests.compression.compressors import module_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NETWORKS = PLAIN | GRAPHS
each_network = pytest.mark.parametrize("name", NETWORKS)


def needs_graphs(name):
    if name in GRAPHS:
        pytest.importorskip("torch_pruning")


def made(name):
    """Return a network of random weights, statistics of norms included."""
    needs_graphs(name)
    torch.manual_seed(1)
    module = NETWORKS[name]()
    for layer in module.modules():
        if getattr(layer, "running_mean", None) is not None:
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return module.eval()


def removing(net, amount=0.4, **parameters):
    parameters = {"fine_tune_epochs": 0, "structure": "channel"} | parameters
    return NetPruner(net, amount=amount, **parameters)


@pytest.fixture(scope="module")
def fitted(digits):
    X, _, y, _ = digits
    nets = {}

    def fit(name):
        if name not in nets:
            needs_graphs(name)
            torch.manual_seed(0)
            net = SparseNetClassifier(
                module=NETWORKS[name](),
                learning_rate=0.01,
                max_epochs=10,
                random_state=0,
            )
            nets[name] = net.fit(X[:600], y[:600])
        return nets[name]

    return fit


def ignoring(module, couplings, keeps, X):
    """Run a network whose layers get zeros in the place of some channels."""
    module = copy.deepcopy(module)
    for name, units in couplings.inputs.items():
        mask = torch.from_numpy(np.append(keeps, True)[units])

        def hide(layer, given, mask=mask):
            is_image = isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d)
            n_dims = layer.weight.ndim - 2 if is_image else 0
            return (given[0] * mask.reshape(-1, *[1] * n_dims),)

        module.get_submodule(name).register_forward_pre_hook(hide)
    with torch.no_grad():
        return module(X)


@each_network
def test_a_narrower_network_is_one_that_ignores_channels(digits, name):
    X, module = digits[0][:50], made(name)
    couplings = find_couplings(module, X)
    rng, given = np.random.default_rng(0), torch.from_numpy(X)
    for _ in range(5):
        keeps = rng.random(couplings.n_units) < 0.6
        keeps[rng.integers(couplings.n_units)] = True
        for units in couplings.outputs.values():  # a channel of each layer stays
            keeps[units.max()] |= units.max() >= 0
        wanted = ignoring(module, couplings, keeps, given)
        with torch.no_grad():
            found = narrow(module, couplings, keeps)(given)
        assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@each_network
@pytest.mark.parametrize("refit", [True, False])
def test_the_share_of_channels_is_gone(digits, fitted, name, refit):
    X, _, y, _ = digits
    net = fitted(name)
    small = removing(FrozenEstimator(net), refit=refit).fit(X[:200], y[:200])
    found = [count_channels(find_couplings(module_of(fit), X)) for fit in (net, small)]
    assert found[1] == pytest.approx(0.6 * found[0], abs=3)
    assert module_of(small)(torch.from_numpy(X[:3])).shape == (3, 10)


@each_network
@pytest.mark.parametrize("refit", [True, False])
def test_nothing_removed_changes_nothing(digits, fitted, name, refit):
    X, _, y, _ = digits
    small = removing(FrozenEstimator(fitted(name)), amount=0.0, refit=refit)
    small.fit(X[:200], y[:200])
    assert_array_equal(small.predict_proba(X), fitted(name).predict_proba(X))


def missing_squares(module, name, wanted, samples):
    blocks = _layer_sums.read_missing(module, name, wanted, samples)
    return sum((lacks.astype(float) ** 2).sum(axis=1) for _, lacks, _ in blocks)


@each_network
def test_no_layer_lacks_more_than_before(monkeypatch, digits, fitted, name):
    refit, lost = _channel_refit.refit_layer, []

    def refit_and_measure(*given):
        before = missing_squares(*given)
        refit(*given)
        lost.append((len(given[2][0]), before, missing_squares(*given)))

    monkeypatch.setattr(_channel_refit, "refit_layer", refit_and_measure)
    removing(FrozenEstimator(fitted(name)), 0.5).fit(
        *(part[:150] for part in digits[::2])
    )
    for n_calls, before, after in lost:
        if n_calls > 1:
            before, after = before.sum(), after.sum()
        assert np.all(after <= before * (1 + 1e-4) + 1e-6)
    assert lost


def solve_at_once(inputs, wanted, layer, ridge):
    """Solve for a layer's weights and bias from all rows, near to what they are."""
    W, bias = layer.weight.detach().flatten(1).double(), layer.bias.detach().double()
    missing = (wanted - inputs @ W.T - bias).numpy()
    inputs = inputs.numpy()
    units = np.sqrt(((inputs - inputs.mean(axis=0)) ** 2).sum(axis=0))
    norms = np.linalg.norm(W.numpy(), axis=0)
    units = np.maximum(units, np.sqrt(np.mean((norms * units) ** 2)) / norms)
    penalties = np.sqrt(ridge) * units
    ones = np.ones((len(inputs), 1))
    bottom = np.diag(penalties)[:, : len(penalties)]
    left = np.block([[inputs, ones], [bottom, np.zeros((len(penalties), 1))]])
    right = np.vstack([missing, np.zeros((len(penalties), missing.shape[1]))])
    change = np.linalg.lstsq(left, right)[0]
    return W.numpy() + change[:-1].T, bias.numpy() + change[-1]


def test_weights_behind_are_those_of_least_squares(monkeypatch, digits):
    monkeypatch.setattr(_layer_rows, "MOST_POSITIONS", 64)
    X, module = digits[0][:200], made("two convolutions")
    couplings, keeps = find_couplings(module, X), np.ones(14, bool)
    keeps[[1, 4, 7, 9]] = False
    raw, small = (narrow(module, couplings, keeps) for _ in range(2))
    _channel_refit.refit_channels(small, module, couplings, keeps, (X, None))
    with torch.no_grad():
        given = torch.from_numpy(X).reshape(-1, 1, 8, 8)
        hidden = torch.relu(raw[1](given))
        inputs = nn.functional.unfold(hidden, 3, stride=2).movedim(1, 2).flatten(0, 1)
        outputs = module[3](torch.relu(module[1](given)))[:, [0, 2, 3, 4, 5]]
        wanted = outputs.movedim(1, 3).flatten(0, 2)
    weight, bias = solve_at_once(inputs.double(), wanted.double(), raw[3], 1e-3)
    assert_allclose(small[3].weight.detach().flatten(1), weight, atol=1e-5)
    assert_allclose(small[3].bias.detach(), bias, atol=1e-5)


@pytest.mark.parametrize("name", ["two convolutions", "one dimension", "residual"])
def test_refit_helps(digits, fitted, name):
    X, X_test, y, _ = digits
    net = FrozenEstimator(fitted(name))
    whole = fitted(name).decision_function(X_test)
    lost = {}
    for refit in (True, False):
        small = removing(net, 0.5, refit=refit).fit(X[:600], y[:600])
        lost[refit] = np.mean((small.decision_function(X_test) - whole) ** 2)
    assert lost[True] < 0.5 * lost[False]


def test_half_the_channels_know_digits_without_labels(digits, fitted):
    X, X_test, y, y_test = digits
    net = fitted("two convolutions")
    small = removing(FrozenEstimator(net), 0.5).fit(X[:600], np.roll(y[:600], 1))
    assert small.score(X_test, y_test) > net.score(X_test, y_test) - 0.05


@pytest.mark.parametrize("criterion", ["layer_adaptive", "magnitude", "first_order"])
@pytest.mark.parametrize("name", ["norms", "residual"])
def test_all_criteria_choose_and_fits_repeat(digits, fitted, name, criterion):
    X, _, y, _ = digits
    small = removing(FrozenEstimator(fitted(name)), criterion=criterion, n_steps=2)
    found = [clone(small).fit(X[:200], y[:200]).predict_proba(X) for _ in range(2)]
    assert_array_equal(*found)


def test_a_channel_that_another_repeats_goes_without_a_trace(digits, fitted):
    X, _, y, _ = digits
    net = copy.deepcopy(fitted("two convolutions"))
    with torch.no_grad():
        for values in (net.net_.module_[1].weight, net.net_.module_[1].bias):
            values[3] = 2 * values[5]
    small = removing(FrozenEstimator(net), 1 / 14).fit(X[:600], y[:600])
    assert_allclose(small.predict_proba(X), net.predict_proba(X), atol=0.03)


@pytest.mark.parametrize("name", ["two convolutions", "residual"])
@pytest.mark.parametrize("refit", [True, False])
def test_weights_equal_repetitions(monkeypatch, digits, fitted, name, refit):
    monkeypatch.setattr(_layer_rows, "MOST_POSITIONS", 64)
    X, y = digits[0][:200], digits[2][:200]
    n_times = np.arange(200) % 3 + 1
    net = FrozenEstimator(fitted(name))
    weighted = removing(net, refit=refit).fit(X, y, sample_weight=n_times)
    repeated = removing(net, refit=refit).fit(
        np.repeat(X, n_times, axis=0), y.repeat(n_times)
    )
    assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-2, atol=1e-3
    )


def test_blocks_of_memory_change_nothing(monkeypatch, digits, fitted):
    X, y = digits[0][:200], digits[2][:200]
    small = removing(FrozenEstimator(fitted("norms")))
    whole = clone(small).fit(X, y).predict_proba(X)
    monkeypatch.setattr(_matching, "_MEMORY", 1)
    assert_array_equal(clone(small).fit(X, y).predict_proba(X), whole)


def test_samples_are_read_from_all_labels(monkeypatch, digits, fitted):
    monkeypatch.setattr(_samples, "_IMAGES", 100)
    X, _, y, _ = digits
    net, order = fitted("two convolutions"), np.argsort(y, kind="stable")
    small = removing(FrozenEstimator(net)).fit(X[order], y[order])
    assert small.score(X, y) > net.score(X, y) - 0.1


def test_the_means_of_removed_channels_stay(digits, fitted):
    X, _, y, _ = digits
    net = copy.deepcopy(fitted("two convolutions"))
    first = net.net_.module_[1]
    with torch.no_grad():  # one channel that says the same to all
        first.weight[2], first.bias[2] = 0, 0.5
        net.net_.module_[3].weight[:, 2] *= 1e-3
    small = removing(FrozenEstimator(net), 1 / 14, refit=False).fit(X, y)
    assert module_of(small)[1].out_channels == 7
    assert_allclose(small.predict_proba(X), net.predict_proba(X), rtol=1e-4)


def test_layers_without_a_bias_keep_no_means(digits):
    X = digits[0][:50]
    module = images(
        nn.Conv2d(1, 4, 3, bias=False), nn.Flatten(), nn.Linear(144, 10, bias=False)
    ).eval()
    couplings, keeps = find_couplings(module, X), np.arange(4) < 2
    small = narrow(module, couplings, keeps)
    before = small[3].weight.detach().clone()
    _channel_refit.keep_means(small, module, couplings, keeps, (X, None))
    assert_array_equal(small[3].weight.detach(), before)


def test_networks_of_hidden_layers_lose_neurons(digits, net):
    X, _, y, _ = digits
    both = [
        removing(FrozenEstimator(net), structure=structure).fit(X, y).predict_proba(X)
        for structure in ("channel", "neuron")
    ]
    assert_array_equal(*both)


def test_fine_tuning_follows_each_step(digits, fitted):
    X, X_test, y, y_test = digits
    net = fitted("two convolutions")
    small = removing(FrozenEstimator(net), 0.6, n_steps=2, fine_tune_epochs=2)
    assert small.fit(X, y).score(X_test, y_test) > net.score(X_test, y_test) - 0.05


def test_layers_and_their_hooks_stay(digits, fitted):
    X, _, y, _ = digits
    net = copy.deepcopy(fitted("two convolutions"))
    seen = []
    for layer in select_layers(net.net_.module_, multiplies_by_weights):
        layer.register_forward_hook(lambda *given: seen.append(given))
    small = removing(FrozenEstimator(net)).fit(X[:200], y[:200])
    seen.clear()
    small.predict(X[:2])
    assert len(seen) == 3


@pytest.mark.parametrize("name", REFUSED_CHANNELS)
def test_what_cannot_lose_channels_is_refused_by_name(digits, name):
    pytest.importorskip("torch_pruning")
    X, _, y, _ = digits
    make, match = REFUSED_CHANNELS[name]
    net = SparseNetClassifier(module=make(), max_epochs=1, random_state=0)
    net.fit(X[:50], y[:50])
    before = net.predict_proba(X)
    with pytest.raises(ValueError, match=rf"structure='channel' needs .*{match}"):
        removing(FrozenEstimator(net)).fit(X[:50], y[:50])
    assert_array_equal(net.predict_proba(X), before)


def test_graphs_say_what_to_install(monkeypatch, digits):
    X, _, y, _ = digits
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    net = SparseNetClassifier(module=Joined(4), max_epochs=1).fit(X[:50], y[:50])
    with pytest.raises(ImportError, match=r'pip install "sksparse-nn\[prune\]"'):
        removing(FrozenEstimator(net)).fit(X[:50], y[:50])


def test_sequences_need_no_library(monkeypatch, digits):
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    X = digits[0][:50]
    for make in PLAIN.values():
        assert find_couplings(make().eval(), X).n_units


def test_neurons_of_convolutions_point_to_channels(digits):
    X, _, y, _ = digits
    module = images(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 10))
    net = SparseNetClassifier(module=module, max_epochs=1).fit(X[:50], y[:50])
    with pytest.raises(ValueError, match="structure='channel'"):
        removing(FrozenEstimator(net), structure="neuron").fit(X[:50], y[:50])


@pytest.mark.parametrize("name", ["two convolutions", "norms", "linear layers"])
def test_wide_layers_are_solved_part_by_part(monkeypatch, digits, fitted, name):
    X, _, y, _ = digits
    net = FrozenEstimator(fitted(name))
    whole, raw = (
        removing(net, refit=refit, criterion="magnitude").fit(X[:300], y[:300])
        for refit in (True, False)
    )
    monkeypatch.setattr(_layer_sums, "_WIDTH", 20)
    parts = removing(net, criterion="magnitude").fit(X[:300], y[:300])
    wanted = net.decision_function(X[:300])
    lost = [
        np.mean((small.decision_function(X[:300]) - wanted) ** 2)
        for small in (whole, parts, raw)
    ]
    assert lost[1] < 0.5 * lost[2]
    by_outputs = removing(net, 0.3).fit(X[:300], y[:300])
    assert by_outputs.score(X, y) > net.score(X, y) - 0.1


def test_the_order_of_weights_in_memory_does_not_count(digits, fitted):
    X, _, y, _ = digits
    found = []
    for order in (torch.contiguous_format, torch.channels_last):
        net = copy.deepcopy(fitted("two convolutions"))
        net.net_.module_.to(memory_format=order)
        small = removing(FrozenEstimator(net)).fit(X[:200], y[:200])
        found.append(small.predict_proba(X))
    assert_allclose(*found, rtol=1e-3, atol=1e-5)
