"""Training with products in bfloat16, also where the processor has to imitate them."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.preprocessing import normalize
from torch import nn

from sksparse_nn import (
    NetPruner,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn.modules import (
    AttentionLayer,
    PatchConvolution,
    PatchLayer,
    SoftThresholdLayer,
    SparseCodingLayer,
    TriangleLayer,
    _mixed_precision,
)
from sksparse_nn.modules._facts import prune, quantize
from tests.neural.coders import CODERS


@pytest.fixture
def _imitated(monkeypatch):
    """Let any processor count as one with instructions for bfloat16."""
    monkeypatch.setattr(_mixed_precision, "multiplies_bfloat16", lambda device: True)


def classifier(**parameters):
    given = {"learning_rate": 0.01, "max_epochs": 8, "random_state": 0}
    return SparseNetClassifier((16,), **given | parameters)


class TypeOfOutputs(nn.Sequential):
    """A network that notes the float types of its outputs in training."""

    def __init__(self, n_features, n_outputs):
        super().__init__(nn.Linear(n_features, n_outputs))
        self.seen = set()

    def forward(self, X):
        outputs = super().forward(X)
        if self.training:
            self.seen.add(outputs.dtype)
        return outputs


@pytest.mark.usefixtures("_imitated")
def test_products_are_lower_in_training_alone(blobs):
    X, y = blobs
    net = classifier(module=TypeOfOutputs, mixed_precision=True).fit(X, y)
    module = net.net_.module_
    assert module.seen == {torch.bfloat16}
    assert module[0].weight.dtype == torch.float32
    with torch.no_grad():
        expected = torch.softmax(module(torch.from_numpy(X)), dim=1)
    assert_allclose(net.predict_proba(X), expected, rtol=1e-6)


@pytest.mark.usefixtures("_imitated")
def test_numbers_of_double_precision_stay_so(blobs):
    X, y = blobs
    net = classifier(module=TypeOfOutputs, mixed_precision=True)
    assert net.fit(X.astype(np.float64), y).net_.module_.seen == {torch.float64}


NETWORKS = {
    "hidden layers": {},
    "dropout": {"dropout": 0.2},
    "penalties": {"l1": 1e-3, "group_lasso": 1e-3},
    "averaged": {"weight_averaging": 0.9},
    "SGD": {"optimizer": "sgd"},
    "optimizer of torch": {"optimizer": torch.optim.NAdam},
    "noise": {"augment": "noise"},
    "mixed pairs": {"augment": "mixup"},
    "smoothed": {"label_smoothing": 0.1},
    "reconstruction": {"coder": CODERS["lasso"], "reconstruction": 0.5},
    **{f"coder, {name}": {"coder": coder} for name, coder in CODERS.items()},
    "coder that is kept": {"coder": CODERS["lasso"], "tune_coder": False},
}


@pytest.mark.usefixtures("_imitated")
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_learn_as_well(name, kind, blobs):
    X, y = kind(blobs[0]), blobs[1]
    full, mixed = (
        classifier(**NETWORKS[name], mixed_precision=lower).fit(X, y)
        for lower in (False, True)
    )
    losses = full.history_["train_loss"], mixed.history_["train_loss"]
    assert_allclose(*losses, rtol=0.1, atol=0.02)
    assert all(p.dtype == torch.float32 for p in mixed.net_.module_.parameters())


@pytest.mark.usefixtures("_imitated")
@pytest.mark.parametrize(
    "loss", ["squared_error", "poisson", "absolute_error", "huber"]
)
def test_regressors_learn_as_well(loss, line):
    X, y = line[0].astype(np.float32), np.maximum(line[1], 0)
    given = {"loss": loss, "learning_rate": 0.02, "random_state": 0, "max_epochs": 20}
    full, mixed = (
        SparseNetRegressor((16,), **given, mixed_precision=lower).fit(X, y)
        for lower in (False, True)
    )
    losses = full.history_["train_loss"][-1], mixed.history_["train_loss"][-1]
    assert_allclose(*losses, rtol=0.2, atol=0.02)


@pytest.mark.usefixtures("_imitated")
@pytest.mark.parametrize("module", ["resnet8", "plain_conv_net", "patch_net"])
def test_networks_of_images_learn_as_well(module):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    X = rng.normal(size=(60, 8, 8)).astype(np.float32)
    X[:, :4] += y[:, None, None]
    given = {"module": module, "image_shape": (8, 8), "learning_rate": 0.01}
    full, mixed = (
        classifier(**given, mixed_precision=lower).fit(X.reshape(60, -1), y)
        for lower in (False, True)
    )
    losses = full.history_["train_loss"], mixed.history_["train_loss"]
    assert_allclose(*losses, rtol=0.1, atol=0.05)


@pytest.mark.usefixtures("_imitated")
def test_streams_and_fine_tuning_are_lowered_too(blobs):
    X, y = blobs
    net = classifier(module=TypeOfOutputs, mixed_precision=True)
    net.partial_fit(X, y, classes=[0, 1, 2])
    net.net_.module_.seen.clear()
    pruner = NetPruner(net.partial_fit(X, y), amount=0.2, fine_tune_epochs=1)
    assert net.net_.module_.seen == {torch.bfloat16}
    assert pruner.fit(X, y).score(X, y) >= net.score(X, y) - 0.2


def test_a_warning_says_where_it_changes_nothing(blobs, monkeypatch):
    monkeypatch.setattr(_mixed_precision, "multiplies_bfloat16", lambda device: False)
    with pytest.warns(UserWarning, match="mixed_precision=True changes nothing"):
        mixed = classifier(mixed_precision=True).fit(*blobs)
    full = classifier().fit(*blobs)
    assert_allclose(mixed.history_["train_loss"], full.history_["train_loss"], rtol=0)


def atoms(n_features):
    return normalize(np.random.default_rng(0).normal(size=(6, n_features)))


PATCHES = {"image_shape": (4, 4), "patch_size": 3, "alpha": 0.1}
LAYERS = {
    "lasso": lambda: SparseCodingLayer(atoms(16), alpha=0.1),
    "omp": lambda: SparseCodingLayer(atoms(16), "omp", n_nonzero_coefs=2),
    "sparsemax": lambda: AttentionLayer(atoms(16), 1.0),
    "entmax15": lambda: AttentionLayer(atoms(16), 1.0, "entmax15"),
    "soft thresholds": lambda: SoftThresholdLayer(atoms(16), 0.1),
    "triangle": lambda: TriangleLayer(atoms(16)),
    "patches": lambda: PatchLayer(atoms(9), **PATCHES),
    "maps": lambda: PatchConvolution(atoms(9), **PATCHES),
    "pruned": lambda: prune(nn.Linear(16, 5)),
    "dynamic": lambda: quantize(nn.Linear(16, 5), 8, "row"),
    "8 bits": lambda: quantize(nn.Linear(16, 5), 8, None),
    "4 bits": lambda: quantize(nn.Linear(16, 5), 4, None),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_work_under_the_autocast_of_a_user(name):
    layer = LAYERS[name]().float()
    X = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    X = X.bfloat16()  # as a layer ahead of them returns it
    expected = layer(X.float()).detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = layer(X)
    assert_allclose(
        outputs.float().detach(), expected, atol=0.02 * expected.abs().max()
    )


def test_pixels_of_a_tuned_coder_are_coded_as_they_are(blobs):
    X, y = blobs
    coder = SparseDictionaryCoder(4, alpha=0.1, max_epochs=1, random_state=0)
    module = classifier(coder=coder, max_epochs=1).fit(X, y).net_.module_
    expected = module.coding(torch.from_numpy(X)).detach()
    noted = []
    module.scale.register_forward_pre_hook(lambda _, given: noted.append(given[0]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        module(torch.from_numpy(X))
    assert_allclose(noted[0].detach(), expected, rtol=1e-6)
