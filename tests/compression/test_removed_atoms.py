"""Networks with whole atoms left out."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from torch import nn

from sksparse_nn import NetPruner, NetQuantizer, SparseNetClassifier
from sksparse_nn.modules import QuantizedCoding
from sksparse_nn.modules._coding import dense_atoms
from tests.compression.codes import CODING, N_ATOMS, network, samples, sequence
from tests.compression.compressors import module_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = samples()

each_layer = pytest.mark.parametrize("layer", CODING)


class Double(nn.Module):
    """Multiplies by a number, as layers of users do."""

    def forward(self, X):
        return 2 * X


@pytest.fixture(scope="module")
def networks():
    kept = {}

    def find(layer):
        if layer not in kept:
            net = sequence(layer, Double(), nn.Dropout(0.1))
            kept[layer] = FrozenEstimator(net.fit(X, Y))
        return kept[layer]

    return find


def removing(net, **parameters):
    return NetPruner(net, structure="neuron", **parameters)


@each_layer
@pytest.mark.parametrize("criterion", ["layer_adaptive", "first_order"])
def test_atoms_go_with_the_columns_that_take_them(networks, layer, criterion):
    net = networks(layer)
    small = removing(net, amount=0.4, criterion=criterion, n_steps=2).fit(X, Y)
    module = module_of(small)
    codes, first, last = module[0], module[3], module[5]
    assert codes.atoms.shape == (first.in_features, 64)
    assert first.out_features == last.in_features
    assert last.out_features == 10
    assert first.in_features + last.in_features == round(0.6 * (N_ATOMS + 16))
    assert small.score(X, Y) > net.score(X, Y) - 0.2
    integers = NetQuantizer(FrozenEstimator(small)).fit(X, Y)
    assert isinstance(module_of(integers)[0], QuantizedCoding)


@each_layer
def test_the_atoms_that_stay_are_those_that_were(networks, layer):
    net = networks(layer)
    small = removing(net, fine_tune_epochs=0).fit(X, Y)
    before = dense_atoms(net.estimator.net_.module_[0])
    after = dense_atoms(module_of(small)[0])
    places = [int(np.flatnonzero((before == row).all(axis=1))[0]) for row in after]
    assert places == sorted(places)
    codes = CODING[layer](torch.from_numpy(before[places]))
    assert type(codes) is type(module_of(small)[0])


@each_layer
def test_mean_outputs_of_the_layer_behind_stay(networks, layer):
    net = networks(layer)
    small = removing(net, amount=0.5, fine_tune_epochs=0).fit(X, Y)
    rows = torch.from_numpy(X)
    with torch.no_grad():
        # Of the last layer, whose neurons all stay.
        means = [
            m(rows).mean(dim=0) for m in (net.estimator.net_.module_, module_of(small))
        ]
    assert_allclose(means[1], means[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("refit", [True, False])
def test_an_atom_that_nothing_reads_is_left_out_without_a_trace(refit):
    net = sequence("soft", max_epochs=2).fit(X, Y)
    with torch.no_grad():
        net.net_.module_[1].weight[:, 5] = 0
    parameters = {"amount": 1 / 40, "fine_tune_epochs": 0, "refit": refit}
    small = removing(FrozenEstimator(net), **parameters).fit(X, Y)
    assert_allclose(small.predict_proba(X), net.predict_proba(X), rtol=1e-4, atol=1e-6)
    if not refit:  # by its outputs, a neuron that is always zero may go as well
        atoms = np.delete(dense_atoms(net.net_.module_[0]), 5, axis=0)
        assert_array_equal(dense_atoms(module_of(small)[0]), atoms)


@each_layer
def test_no_layer_loses_all_its_atoms(networks, layer):
    small = removing(networks(layer), amount=0.99, fine_tune_epochs=1).fit(X, Y)
    assert len(module_of(small)[0].atoms) == module_of(small)[3].in_features == 1
    assert small.predict(X).shape == Y.shape


def test_samples_without_weight_have_no_part_in_the_means(networks):
    weight = (np.arange(len(X)) < 200).astype(float)
    small = removing(networks("lasso"), fine_tune_epochs=0)
    answers = small.fit(X, Y, sample_weight=weight).predict_proba(X)
    few = small.fit(X[:200], Y[:200]).predict_proba(X)
    assert_allclose(answers, few, atol=1e-5)


def test_atoms_that_are_not_trained_stay_untrained(networks):
    net = sequence("lasso", max_epochs=1).fit(X, Y)
    net.net_.module_[0].requires_grad_(False)
    codes = module_of(removing(FrozenEstimator(net)).fit(X, Y))[0]
    assert not codes.dictionary.requires_grad


def codes_of_codes(n_features, n_outputs):
    codes = CODING["soft"](torch.from_numpy(X[:N_ATOMS]))
    others = CODING["triangle"](torch.randn(12, N_ATOMS))
    return nn.Sequential(codes, nn.ReLU(), others, nn.Linear(12, n_outputs))


def codes_alone(n_features, n_outputs):
    return nn.Sequential(CODING["triangle"](torch.from_numpy(X[:n_outputs])))


REFUSED = {
    "in a module": (network("soft"), "SoftThresholdLayer in a torch.nn.Sequential"),
    "all codes at once": (
        sequence("lasso", nn.LayerNorm(N_ATOMS, elementwise_affine=False)),
        r"behind SparseCodingLayer \('0' of the network\) .* LayerNorm \('1'",
    ),
    "a number per code": (
        sequence("attention", nn.BatchNorm1d(N_ATOMS)),
        r"behind AttentionLayer \('0' of the network\) .* BatchNorm1d \('1'",
    ),
    "codes of codes": (
        SparseNetClassifier(module=codes_of_codes),
        r"behind SoftThresholdLayer \('0' of the network\)\. Got TriangleLayer \('2'",
    ),
    "nothing behind": (
        SparseNetClassifier(module=codes_alone),
        r"linear layer behind TriangleLayer \('0' of the network\)\. Got none",
    ),
}


@pytest.mark.parametrize(("net", "message"), REFUSED.values(), ids=REFUSED)
def test_atoms_whose_columns_are_not_known_are_not_removed(net, message):
    with pytest.raises(ValueError, match=message):
        removing(net.set_params(max_epochs=1)).fit(X, Y)
