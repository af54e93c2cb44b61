"""Steps through a coder whose gradients are written out do what autograd does."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import ImagePatchCoder, SparseNetClassifier, SparseNetRegressor
from sksparse_nn.neural import _loop
from sksparse_nn.neural._manual_steps import has_manual_steps
from sksparse_nn.neural._optimizers import OPTIMIZERS
from tests.neural.coders import APPROXIMATE, CODERS
from tests.neural.instances import CODED_NETS

LASSO = CODERS["lasso of an alpha"]
TUNED = [net for net in CODED_NETS if net.tune_coder]
WITH_A_NUMBER = ["lasso of an alpha", "elastic_net", "soft_threshold", "sparsemax"]
SETTINGS = {
    **{name: {"optimizer": name, "weight_decay": 0.1} for name in OPTIMIZERS},
    "deep": {"hidden_layer_sizes": (7, 5), "activation": "tanh"},
    "penalties": {"l1": 1e-3, "group_lasso": 1e-3},
    "schedule": {"scheduler": "cosine"},
    "early stopping": {"early_stopping": True},
    "dropout": {"dropout": 0.3},
}


@pytest.fixture(params=[np.float32, np.float64])
def rows(request):
    return np.random.default_rng(1).standard_normal((50, 5)).astype(request.param)


def labels(n=50):
    return np.random.default_rng(2).integers(0, 3, n)


def trained(net, X, y):
    weight = np.random.default_rng(0).random(len(y)) + 0.5
    given = {"max_epochs": 3, "batch_size": 16, "random_state": 0}
    net = clone(net).set_params(**given).fit(X, y, sample_weight=weight)
    return net.partial_fit(X, y)


def weights_of(net):
    return [weight.detach().numpy() for weight in net.net_.module_.parameters()]


def check_training(net, X, y, monkeypatch):
    answers = []

    def note(module, samples):
        answers.append(has_manual_steps(module, samples))
        return answers[-1]

    monkeypatch.setattr(_loop, "has_manual_steps", note)
    ours = trained(net, X, y)
    assert answers
    assert all(answers)
    monkeypatch.setattr(_loop, "has_manual_steps", lambda *_: False)
    theirs = trained(net, X, y)
    tol = 1e-5 if X.dtype == np.float32 else 1e-9
    for one, other in zip(weights_of(ours), weights_of(theirs), strict=True):
        assert_allclose(one, other, rtol=tol, atol=tol * max(1, np.abs(other).max()))
    losses = [net.history_["train_loss"] for net in (ours, theirs)]
    assert_allclose(*losses, rtol=tol)


@pytest.mark.parametrize("name", CODERS)
@pytest.mark.parametrize("network", [SparseNetClassifier, SparseNetRegressor])
def test_a_training_is_that_of_autograd(network, name, rows, monkeypatch):
    check_training(network((5,), coder=CODERS[name]), rows, labels(), monkeypatch)


@pytest.mark.parametrize("net", TUNED, ids=str)
def test_a_common_network_is_trained_as_by_autograd(net, rows, monkeypatch):
    check_training(net, rows, labels(), monkeypatch)


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_a_training_act_as_with_autograd(name, rows, monkeypatch):
    net = SparseNetClassifier((), coder=LASSO).set_params(**SETTINGS[name])
    check_training(net, rows, labels(), monkeypatch)


@pytest.mark.parametrize("name", APPROXIMATE)
def test_a_reconstruction_is_that_of_autograd(name, rows, monkeypatch):
    net = SparseNetClassifier((), coder=CODERS[name], reconstruction=0.5)
    check_training(net, rows, labels(), monkeypatch)


@pytest.mark.parametrize("name", WITH_A_NUMBER)
def test_a_trained_number_is_that_of_autograd(name, rows, monkeypatch):
    net = SparseNetClassifier((5,), coder=CODERS[name], tune_coder="all")
    check_training(net, rows, labels(), monkeypatch)


@pytest.mark.parametrize("tune_coder", [True, "all"])
def test_a_training_of_patches_is_that_of_autograd(tune_coder, rows, monkeypatch):
    patches = ImagePatchCoder(4, image_shape=(5, 5), patch_size=3, random_state=0)
    X = np.tile(rows, 5) * np.linspace(0.5, 2, 25, dtype=rows.dtype)
    net = SparseNetClassifier((), coder=patches, tune_coder=tune_coder)
    check_training(net, X, labels(), monkeypatch)


@pytest.mark.parametrize("reconstruction", [0, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_training_on_sparse_samples_is_that_of_autograd(
    reconstruction, dtype, monkeypatch
):
    rng = np.random.default_rng(0)
    X = sparse.random_array((60, 80), density=0.05, rng=rng, format="csr", dtype=dtype)
    net = SparseNetClassifier((), coder=LASSO, reconstruction=reconstruction)
    check_training(net, X, labels(60), monkeypatch)


def test_a_module_of_the_user_behind_a_coder_is_left_to_autograd(rows):
    net = SparseNetClassifier(
        module=lambda n_features, n_outputs: torch.nn.Linear(n_features, n_outputs),
        coder=LASSO,
        max_epochs=1,
    ).fit(rows, labels())
    module, samples = net.net_.module_, net.net_.dataset(rows)
    assert not has_manual_steps(module, samples)
