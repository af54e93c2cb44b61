"""Batch normalisation as part of the layer ahead of it."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from sksparse_nn.modules._facts import prune
from sksparse_nn.modules._folding import fold_batch_norms


class Reads(nn.Module):
    """The output of the convolution is used twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)

    def forward(self, X):
        out = self.conv(X.reshape(-1, 1, 8, 8))
        return (self.norm(out) + out).mean(dim=(2, 3))


class Twice(nn.Module):
    """The convolution runs twice, and is normalised once."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1)

    def forward(self, X):
        out = self.conv(X.reshape(-1, 1, 8, 8))
        return self.norm(self.conv(out)).flatten(1)


class Positions(nn.Module):
    """The norm is over the second dimension, and the layer acts on the third."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(8, 8), nn.BatchNorm1d(8)

    def forward(self, X):
        return self.norm(self.linear(X.reshape(-1, 8, 8))).flatten(1)


def images(*layers):
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), *layers, nn.Flatten())


FOLDED = {
    "convolution": lambda: images(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
    "without bias": lambda: images(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4)),
    "groups": lambda: images(
        nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3, groups=4), nn.BatchNorm2d(8)
    ),
    "not affine": lambda: images(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, affine=False)),
    "linear": lambda: nn.Sequential(nn.Linear(64, 9), nn.BatchNorm1d(9), nn.Tanh()),
    "in place": lambda: images(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 2, 3)
    ),
    "nested": lambda: images(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.Sequential(nn.BatchNorm2d(4)))
    ),
}

KEPT = {
    "used twice": Reads,
    "run twice": Twice,
    "other dimension": Positions,
    "activation between": lambda: images(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)
    ),
    "norm of a batch": lambda: images(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)
    ),
    "norm first": lambda: images(nn.BatchNorm2d(1), nn.Conv2d(1, 4, 3)),
}


def draw():
    return np.random.default_rng(0).random((80, 64), np.float32)


def trained(make):
    """Return a network whose norms have seen samples."""
    torch.manual_seed(0)
    module = make().train()
    for norm in module.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm) and norm.affine:
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
    with torch.no_grad():
        for _ in range(30):
            module(torch.from_numpy(draw()))
    return module.eval()


def n_norms(module):
    return sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in module.modules())


@pytest.mark.parametrize("name", FOLDED)
@torch.no_grad()
def test_a_norm_that_is_folded_leaves_outputs_as_they_are(name):
    module = trained(FOLDED[name])
    folded = fold_batch_norms(module, draw())
    assert n_norms(folded) == n_norms(module) - 1
    rows = torch.from_numpy(2 * draw() - 0.3)
    assert_allclose(folded(rows), module(rows), atol=1e-5)


@pytest.mark.parametrize("name", KEPT)
def test_a_norm_of_something_else_stays(name):
    module = trained(KEPT[name])
    assert fold_batch_norms(module, draw()) is module


def test_the_network_itself_does_not_change():
    module = trained(FOLDED["convolution"])
    state = {name: value.clone() for name, value in module.state_dict().items()}
    fold_batch_norms(module, draw())
    for name, value in module.state_dict().items():
        assert_allclose(value, state[name])


def test_pruned_weights_stay_zero():
    module = trained(FOLDED["convolution"])
    with torch.no_grad():
        module[1].weight[:, :, 0] = 0
    module[1] = prune(module[1])
    folded = fold_batch_norms(module, draw())
    assert folded[1].n_nonzero == module[1].n_nonzero
    assert n_norms(folded) == 0


def test_hooks_see_what_they_saw():
    module = trained(FOLDED["convolution"])
    module[2].register_forward_hook(lambda layer, given, output: output)
    assert fold_batch_norms(module, draw()) is module
