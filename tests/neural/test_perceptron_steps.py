"""Steps whose gradients are written out do what autograd and torch's optimizers do."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from skorch.callbacks import Callback, LRScheduler

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn.modules._spec import ACTIVATIONS
from sksparse_nn.neural import _loop
from sksparse_nn.neural._losses import BinaryCrossEntropy, CrossEntropy
from sksparse_nn.neural._optimizers import OPTIMIZERS

SETTINGS = {
    **{name: {"activation": name} for name in ACTIVATIONS},
    **{name: {"optimizer": name, "weight_decay": 0.1} for name in OPTIMIZERS},
    "linear": {"hidden_layer_sizes": ()},
    "deep": {"hidden_layer_sizes": (7, 5, 3)},
    "dropout": {"dropout": 0.3},
    "penalties": {"l1": 1e-3, "group_lasso": 1e-3},
    "early stopping": {"early_stopping": True},
    "callback": {"callbacks": [LRScheduler("StepLR", step_size=2)]},
    "schedule": {"scheduler": "cosine"},
}


def weights_of(net):
    return [weight.detach().numpy() for weight in net.net_.module_.parameters()]


def trained(network, X, y, **parameters):
    given = {"max_epochs": 4, "batch_size": 16, "random_state": 0} | parameters
    weight = np.random.default_rng(0).random(len(X)) + 0.5
    net = network(**given).fit(X, y, sample_weight=weight)
    return net.partial_fit(X, y)


@pytest.fixture(params=[np.float32, np.float64])
def rows(request):
    return np.random.default_rng(1).standard_normal((50, 6)).astype(request.param)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("network", [SparseNetClassifier, SparseNetRegressor])
def test_a_training_is_that_of_autograd(network, name, rows, monkeypatch):
    settings = SETTINGS[name]
    y = np.random.default_rng(2).integers(0, 3, 50)
    ours = trained(network, rows, y, **settings)
    monkeypatch.setattr(_loop, "has_manual_steps", lambda *_: False)
    theirs = trained(network, rows, y, **settings)
    tol = 3e-4 if rows.dtype == np.float32 else 1e-9
    for one, other in zip(weights_of(ours), weights_of(theirs), strict=True):
        assert_allclose(one, other, atol=tol)
    losses = [net.history_["train_loss"].tolist() for net in (ours, theirs)]
    assert_allclose(*losses, rtol=tol)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "loss",
    [CrossEntropy(), CrossEntropy(0.1), BinaryCrossEntropy()],
    ids=["cross entropy", "smoothed", "binary"],
)
def test_a_gradient_is_that_of_autograd(loss, weighted):
    torch.manual_seed(0)
    output = torch.randn(9, 4, dtype=torch.float64, requires_grad=True)
    classes = isinstance(loss, CrossEntropy)
    target = torch.randint(4, (9,)) if classes else torch.rand(9, 4) > 0.5
    weight = torch.rand(9, dtype=torch.float64) if weighted else None
    expected = loss(output, target, weight)
    value, gradient = loss.with_gradient(output.detach(), target, weight)
    assert_allclose(value, expected.detach(), rtol=1e-12)
    assert_allclose(gradient, *torch.autograd.grad(expected, output), rtol=1e-10)


class Watch(Callback):
    """Note whether there was a gradient behind each step."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, net, **kwargs):
        gradients = [weight.grad for weight in net.module_.parameters()]
        self.seen.append(all(gradient is not None for gradient in gradients))


def test_a_callback_that_looks_at_gradients_finds_them(blobs):
    watch = Watch()
    SparseNetClassifier(callbacks=[watch], max_epochs=2).fit(*blobs)
    assert watch.seen
    assert all(watch.seen)


class Hook(Callback):
    """Ask to see gradients from the second epoch on."""

    def __init__(self):
        self.seen = []

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            weight = next(net.module_.parameters())
            weight.register_hook(lambda gradient: self.seen.append(gradient.shape))


def test_a_hook_that_comes_between_epochs_is_called(blobs):
    hook = Hook()
    hook.seen = shared = []
    SparseNetClassifier(
        (8,), callbacks=[hook], max_epochs=3, batch_size=45, random_state=0
    ).fit(*blobs)
    assert shared == [(8, 5)] * 4
