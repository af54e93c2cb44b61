"""Layers of patches for prediction: the whitening is in their atoms."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
    for_prediction,
)
from sksparse_nn.modules import PatchConvolution, PatchLayer
from sksparse_nn.modules._facts import count_multiply_adds, quantize
from sksparse_nn.modules._folded_patches import fold_whitening, unfold_whitening
from sksparse_nn.neural._coding_layers import make_layer, store_layer
from tests.persistence.saving import through_skops

SHAPE = 3, 8, 8
FOLDED = {
    "soft_threshold": {"alpha": 0.25},
    "threshold": {"alpha": 0.25},
    "signs together": {"alpha": 0.25, "split_sign": False},
    "not whitened": {"whiten": None},
    "mean": {"pooling": "mean"},
    "max": {"pooling": "max"},
}
each_coder = pytest.mark.parametrize("name", FOLDED)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((60, 192), dtype=np.float32)


@pytest.fixture(scope="module")
def classes(images):
    return (images[:, :64].mean(axis=1) > 0.5).astype(int)


def coder_of(name):
    given = {"image_shape": SHAPE, "patch_size": 4, "pooled_shape": 2, "max_epochs": 1}
    algorithm = name if name in ("threshold", "triangle") else "soft_threshold"
    return ImagePatchCoder(
        7, algorithm=algorithm, random_state=0, **given | FOLDED.get(name, {})
    )


def layer_of(name, images):
    coder = coder_of(name).fit(images)
    return make_layer(coder, learn_alpha=False)


def network(name, **parameters):
    given = {"max_epochs": 2, "random_state": 0} | parameters
    return SparseNetClassifier((), coder=coder_of(name), **given)


@each_coder
def test_codes_keep_every_bit(name, images):
    layer, X = layer_of(name, images), torch.from_numpy(images)
    folded = fold_whitening(layer)
    assert folded.is_folded
    assert not layer.is_folded
    assert folded.whitening is None
    assert layer.whitening is not None
    assert_array_equal(folded(X).detach(), layer(X).detach())
    shape = 1, layer.out_features
    assert count_multiply_adds(folded, shape) == count_multiply_adds(layer, shape)
    assert fold_whitening(folded) is folded


def test_maps_keep_every_bit(images):
    coder = coder_of("soft_threshold").fit(images)
    layer, X = PatchConvolution.from_coder(coder), torch.from_numpy(images)
    assert_array_equal(fold_whitening(layer)(X).detach(), layer(X).detach())


@pytest.mark.parametrize("trained", [True, False])
def test_what_is_not_trained_stays_so(trained, images):
    layer = layer_of("soft_threshold", images).requires_grad_(trained)
    assert fold_whitening(layer).dictionary.requires_grad == trained


def test_distances_need_the_whitening(images):
    layer = layer_of("triangle", images)
    assert fold_whitening(layer) is layer


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_a_whitening_that_cannot_be_undone_is_kept(rank):
    whitening = np.diag([1.0] * rank + [0.0] * (4 - rank))
    layer = PatchLayer(
        np.ones((1, 4)), (4, 4), patch_size=2, alpha=0.1, whitening=whitening
    )
    assert fold_whitening(layer) is layer
    images = torch.rand(5, 16)
    small = quantize(layer, 8, None)
    assert_allclose(small(images), layer(images).detach(), rtol=1e-6)


def test_atoms_are_read_back(images):
    layer = layer_of("soft_threshold", images)
    folded = fold_whitening(layer).dictionary.detach().numpy()
    atoms = unfold_whitening(folded, layer.whitening.numpy())
    assert_allclose(atoms, layer.components.detach(), atol=1e-5)


@pytest.mark.parametrize("n_bits", [8, 4])
@each_coder
def test_atoms_of_integers_are_of_unit_norm(name, n_bits, images):
    layer = layer_of(name, images)
    small = quantize(deepcopy(layer), n_bits, None)
    assert small.is_folded
    atoms = unfold_whitening(
        small.float_layer().dictionary.numpy(), layer.whitening.numpy()
    )
    assert_allclose(np.linalg.norm(atoms, axis=1), 1, rtol=1e-5)
    coder = coder_of(name).fit(images)
    store_layer(coder, small)
    found = small(torch.from_numpy(images)).numpy()
    assert_allclose(coder.transform(images), found, rtol=1e-3, atol=1e-3)
    again = pickle.loads(pickle.dumps(small))
    assert_array_equal(again(torch.from_numpy(images)), found)


@pytest.mark.parametrize("module", ["perceptron", "patch_net"])
@pytest.mark.parametrize("tune_coder", [True, "all"])
def test_copies_for_prediction_do_without_it(module, tune_coder, images, classes):
    given = {"tune_coder": tune_coder, "learning_rate": 0.01}
    if module == "patch_net":
        given |= {"module": "patch_net", "image_shape": SHAPE}
    net = network("soft_threshold", **given).fit(images, classes)
    slim = for_prediction(net)
    assert slim.net_.module_.coding.is_folded
    assert not net.net_.module_.coding.is_folded
    expected = net.predict_proba(images)
    assert_array_equal(slim.predict_proba(images), expected)
    for again in (pickle.loads(pickle.dumps(slim)), through_skops(slim)):
        assert_array_equal(again.predict_proba(images), expected)
    assert_array_equal(for_prediction(slim).predict_proba(images), expected)


@each_coder
def test_sizes_are_those_of_atoms_alone(name, images, classes):
    net = network(name).fit(images, classes)
    models = {
        "float": net,
        "int8": NetQuantizer(FrozenEstimator(net)),
        "int4": NetQuantizer(FrozenEstimator(net), n_bits=4, scheme="weight_only"),
    }
    for model in models.values():
        model.fit(images, classes)
    sizes = compression_report(models, images, classes).bytes_disk
    whitening = 4 * 48**2
    assert sizes["int4"] < sizes["int8"] < sizes["float"] < whitening + 4 * 7 * 48


def test_zeros_of_pruned_atoms_are_kept(images, classes):
    net = network("soft_threshold").fit(images, classes)
    pruned = NetPruner(FrozenEstimator(net), amount=0.5).fit(images, classes)
    small = NetQuantizer(FrozenEstimator(pruned)).fit(images, classes)
    coding = for_prediction(small).net_.module_.coding
    assert not coding.is_folded
    assert coding.n_nonzero < 0.75 * 7 * 48
