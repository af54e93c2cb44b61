"""Laws of compressed networks with layers of codes."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from torch import nn

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
    for_prediction,
)
from sksparse_nn.inspection import CompressionDisplay, attribute
from sksparse_nn.modules import PrunedCoding, QuantizedCoding
from sksparse_nn.modules._coding import dense_atoms
from sksparse_nn.modules._facts import dense_weight, make_plain
from sksparse_nn.solvers.layers import dequantize_matrix, quantize_matrix
from tests.compression.codes import CODING, COMPRESSORS, N_ATOMS, network, samples
from tests.compression.compressors import module_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = samples()

each_layer = pytest.mark.parametrize("layer", CODING)
each_compressor = pytest.mark.parametrize("make", COMPRESSORS.values(), ids=COMPRESSORS)


@pytest.fixture(scope="module")
def networks():
    kept = {}

    def find(layer):
        if layer not in kept:
            kept[layer] = FrozenEstimator(network(layer).fit(X, Y))
        return kept[layer]

    return find


@pytest.fixture(scope="module")
def compressed(networks):
    kept = {}

    def find(layer, make):
        if (layer, make) not in kept:
            kept[layer, make] = make(networks(layer)).fit(X, Y)
        return kept[layer, make]

    return find


def with_matrices(net, atoms, head):
    """Put atoms and weights into a copy of a network by hand."""
    twin = copy.deepcopy(net.estimator)
    module = twin.net_.module_
    with torch.no_grad():
        module.codes.atoms.copy_(torch.from_numpy(atoms))
        module.head.weight.copy_(torch.from_numpy(head.dense_matrix()))
        module.head.bias.copy_(head.bias)
    return twin


@each_layer
@pytest.mark.parametrize("n_bits", [8, 4])
def test_integers_answer_as_the_network_of_the_rounded_atoms(networks, layer, n_bits):
    net = networks(layer)
    small = NetQuantizer(net, scheme="weight_only", n_bits=n_bits).fit(X, Y)
    codes = net.estimator.net_.module_.codes
    atoms = dense_atoms(codes) / codes.row_scales()
    rounded = dequantize_matrix(quantize_matrix(atoms, n_bits))
    twin = with_matrices(net, rounded, module_of(small).head)
    assert_allclose(small.predict_proba(X), twin.predict_proba(X), atol=1e-5)


@each_layer
@pytest.mark.parametrize("criterion", ["layer_adaptive", "magnitude", "first_order"])
def test_pruned_atoms_answer_as_the_network_of_zeros(networks, layer, criterion):
    net = networks(layer)
    small = NetPruner(net, amount=0.7, criterion=criterion, fine_tune_epochs=0)
    module = module_of(small.fit(X, Y))
    before, atoms = dense_atoms(net.estimator.net_.module_.codes), module.codes.atoms
    atoms = atoms.numpy()
    assert_array_equal(atoms, np.where(atoms != 0, before, 0))
    twin = with_matrices(net, atoms, module.head)
    assert_allclose(small.predict_proba(X), twin.predict_proba(X), atol=1e-6)


@each_layer
@pytest.mark.parametrize("amount", [0.3, 0.7, 0.99])
def test_entries_of_atoms_count_as_weights(networks, layer, amount):
    small = NetPruner(networks(layer), amount=amount, fine_tune_epochs=0).fit(X, Y)
    module = module_of(small)
    n_weights = N_ATOMS * (64 + 10)
    kept = module.codes.n_nonzero + module.head.n_nonzero
    # Entries of the samples that atoms started from may be zero before.
    assert kept <= max(n_weights - round(amount * n_weights), N_ATOMS)
    assert (dense_atoms(module.codes) != 0).any(axis=1).all()


def test_the_norms_of_atoms_do_not_say_which_entries_are_pruned(networks):
    net = networks("lasso")
    scaled = copy.deepcopy(net)
    with torch.no_grad():
        scaled.estimator.net_.module_.codes.dictionary *= 2.0 ** torch.arange(
            N_ATOMS
        ).reshape(-1, 1)
    masks = [
        dense_atoms(module_of(NetPruner(one, fine_tune_epochs=0).fit(X, Y)).codes) != 0
        for one in (net, scaled)
    ]
    assert_array_equal(*masks)


@each_layer
def test_each_atom_keeps_its_largest_entry(networks, layer):
    net = networks(layer)
    small = NetPruner(net, amount=0.99, fine_tune_epochs=0).fit(X, Y)
    before = dense_atoms(net.estimator.net_.module_.codes)
    after = dense_atoms(module_of(small).codes)
    assert_array_equal(np.abs(after).max(axis=1), np.abs(before).max(axis=1))


@each_layer
def test_pruned_entries_stay_zero_through_fine_tuning(networks, layer):
    small = NetPruner(networks(layer), amount=0.8, n_steps=2, fine_tune_epochs=2)
    module = module_of(small.fit(X, Y))
    n_weights = N_ATOMS * (64 + 10)
    kept = module.codes.n_nonzero + module.head.n_nonzero
    assert kept <= n_weights - round(0.8 * n_weights)


def test_atoms_that_are_not_trained_are_pruned_by_gradients_and_stay_untrained():
    net = network("lasso", max_epochs=1)
    fitted = net.fit(X, Y)
    fitted.net_.module_.codes.requires_grad_(False)
    small = NetPruner(
        FrozenEstimator(fitted), criterion="first_order", fine_tune_epochs=1
    )
    codes = module_of(small.fit(X, Y)).codes
    before = dense_atoms(fitted.net_.module_.codes)
    assert_array_equal(dense_atoms(codes), np.where(dense_atoms(codes) != 0, before, 0))
    assert not make_plain(codes).dictionary.requires_grad


@each_layer
@each_compressor
def test_copies_and_what_was_stored_answer_bit_for_bit(compressed, layer, make):
    small = compressed(layer, make)
    expected = small.predict_proba(X)
    for twin in (pickle.loads(pickle.dumps(small)), copy.deepcopy(small)):
        assert_array_equal(twin.predict_proba(X), expected)
    assert_array_equal(for_prediction(small).predict_proba(X), expected)


@each_layer
@each_compressor
def test_a_sample_is_answered_by_itself(compressed, layer, make):
    small = compressed(layer, make)
    each = np.vstack([small.predict_proba(row[None]) for row in X[:20]])
    # Rounding of a code may move an input across the middle of two integers.
    assert_allclose(small.predict_proba(X)[:20], each, atol=1e-3)


@each_layer
@each_compressor
def test_reports_and_attributions_take_the_smaller_network(
    networks, compressed, layer, make
):
    net, small = networks(layer), compressed(layer, make)
    report = compression_report({"float": net.estimator, "small": small}, X, Y)
    CompressionDisplay(report)
    assert report.parameters["small"] == report.parameters["float"]
    assert report.nonzero["small"] <= report.nonzero["float"]
    assert report.bytes_disk["small"] < report.bytes_disk["float"]
    assert report.accuracy["small"] > report.accuracy["float"] - 0.1
    found = attribute(small, X[:2], features=False)
    assert np.isfinite(found.atoms).all()


@each_layer
def test_integers_take_a_quarter_and_an_eighth_of_the_atoms(networks, layer):
    for n_bits in (8, 4):
        small = NetQuantizer(networks(layer), scheme="weight_only", n_bits=n_bits)
        codes = module_of(small.fit(X, Y)).codes
        n_scales = N_ATOMS * (1 if n_bits == 8 else 64 // 32)
        assert isinstance(codes, QuantizedCoding)
        assert codes.n_bytes == N_ATOMS * 64 * n_bits // 8 + 4 * n_scales


@each_layer
def test_integers_of_atoms_have_floats_that_are_not_stored(networks, layer):
    small = NetQuantizer(networks(layer)).fit(X, Y)
    codes = module_of(small).codes
    used = pickle.dumps(codes)
    codes._floats = codes._kept = None
    assert used == pickle.dumps(codes)


@each_layer
def test_pruned_atoms_are_stored_without_their_zeros(networks, layer):
    codes = [
        module_of(
            NetPruner(networks(layer), amount=amount, fine_tune_epochs=0).fit(X, Y)
        ).codes
        for amount in (0.5, 0.95)
    ]
    assert all(isinstance(one, PrunedCoding) for one in codes)
    sizes = [len(pickle.dumps(one)) for one in codes]
    saved = 4 * (codes[0].n_nonzero - codes[1].n_nonzero)
    assert sizes[0] - sizes[1] == pytest.approx(saved, abs=50)


@each_layer
def test_factors_leave_atoms_as_they_are(networks, layer):
    small = NetFactorizer(networks(layer), rank=3).fit(X, Y)
    assert small.ranks_ == [3]
    before = networks(layer).estimator.net_.module_.codes
    after = module_of(small).codes
    assert type(after) is type(before)
    assert_array_equal(dense_atoms(after), dense_atoms(before))
    auto = NetFactorizer(networks(layer), fine_tune_epochs=1).fit(X, Y)
    assert auto.score(X, Y) > networks(layer).score(X, Y) - 0.05


@pytest.mark.filterwarnings("ignore:module must return logits")
@each_layer
def test_codes_without_a_linear_layer_are_not_factorized(layer):
    def alone(n_features, n_outputs):
        return nn.Sequential(CODING[layer](torch.from_numpy(X[:n_outputs])))

    net = SparseNetClassifier(module=alone, max_epochs=1, random_state=0)
    kind = type(CODING[layer](X[:2])).__name__
    with pytest.raises(TypeError, match=rf"pass over {kind} \('0' of the network"):
        NetFactorizer(net).fit(X, Y)
    assert NetQuantizer(net).fit(X, Y).predict(X).shape == Y.shape
    assert NetPruner(net).fit(X, Y).predict(X).shape == Y.shape


@pytest.mark.parametrize("outer", [NetPruner, NetQuantizer, NetFactorizer])
def test_integers_of_atoms_are_not_compressed_again(networks, outer):
    with pytest.raises(ValueError, match="Got a quantized network"):
        outer(NetQuantizer(networks("lasso"))).fit(X, Y)


def test_zeros_of_atoms_are_not_filled_in_by_factors(networks):
    with pytest.raises(ValueError, match="zeros of pruned weights"):
        NetFactorizer(NetPruner(networks("soft"))).fit(X, Y)


def test_pruned_atoms_are_pruned_further(networks):
    once = NetPruner(networks("lasso"), amount=0.5, fine_tune_epochs=0)
    twice = NetPruner(once, amount=0.8, fine_tune_epochs=1).fit(X, Y)
    first, second = (
        dense_atoms(module_of(one).codes) != 0 for one in (once.fit(X, Y), twice)
    )
    assert (second <= first).all()
    assert second.sum() < first.sum()


@each_compressor
def test_clones_and_searches_take_networks_of_codes(make):
    small = make(network("soft", max_epochs=2))
    assert_allclose(
        clone(small).fit(X, Y).predict_proba(X), small.fit(X, Y).predict_proba(X)
    )
    path = "estimator__" * (2 if hasattr(small.estimator, "estimator") else 1)
    search = GridSearchCV(small, {f"{path}learning_rate": [0.001, 0.02]}, cv=2)
    assert search.fit(X, Y).predict(X).shape == Y.shape


@pytest.mark.parametrize("make", [COMPRESSORS["int8"], COMPRESSORS["pruned"]])
def test_importances_are_read_from_compressed_atoms(networks, make):
    net = networks("triangle")
    small = make(net).fit(X, Y)
    plain = net.estimator.feature_importances_
    assert np.corrcoef(small.feature_importances_, plain)[0, 1] > 0.9


@each_layer
@each_compressor
def test_float64_stays_float64(layer, make):
    small = make(network(layer, max_epochs=1)).fit(X.astype(np.float64), Y)
    assert small.predict_proba(X.astype(np.float64)).dtype == np.float64


class Decodes(nn.Module):
    """Reads the atoms of its layer of codes."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.codes = CODING["lasso"](torch.from_numpy(X[:N_ATOMS]))
        self.head = nn.Linear(n_features, n_outputs)

    def forward(self, X):
        return self.head(self.codes(X) @ self.codes.components)


@each_compressor
def test_a_module_may_read_the_atoms_of_its_layers(make):
    net = SparseNetClassifier(module=Decodes, max_epochs=3, random_state=0).fit(X, Y)
    small = make(FrozenEstimator(net)).fit(X, Y)
    assert small.score(X, Y) > net.score(X, Y) - 0.1
    assert dense_weight(module_of(small).head).shape == (10, 64)
