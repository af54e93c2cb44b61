"""Networks for the images of the digits, of all kinds that people build."""

import types

import torch
from torch import nn
from torch.nn.utils import parametrizations


class Images(nn.Module):
    """Run layers on images of one channel, and a linear layer on the means."""

    def __init__(self, *layers, width):
        super().__init__()
        self.body, self.head = nn.Sequential(*layers), nn.Linear(width, 10)

    def forward(self, X):
        return self.head(self.body(X.reshape(-1, 1, 8, 8)).mean(dim=(2, 3)))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, X):
        return torch.relu(X + self.inner(X))


class Concatenated(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(8, 8, 3, padding=1)
        self.other = nn.Conv2d(8, 8, 1)

    def forward(self, X):
        return torch.relu(torch.cat([X, self.one(X), self.other(X)], dim=1))


class Repeated(nn.Module):
    """One layer, several times."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(8, 8, 3, padding=1)
        self.again = self.layer

    def forward(self, X):
        return torch.relu(self.again(torch.relu(self.layer(X))))


class Doubtful(nn.Module):
    """Control flow by what comes."""

    def __init__(self):
        super().__init__()
        self.few, self.many = nn.Linear(64, 10), nn.Linear(64, 10)

    def forward(self, X):
        bright = X.mean(dim=1, keepdim=True) > 0.3
        return torch.where(bright, self.many(X), self.few(X))


class Rows(nn.Module):
    """Each row of an image is a token."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Linear(8, 16), nn.Linear(16, 10)

    def forward(self, X):
        return self.head(torch.relu(self.embed(X.reshape(-1, 8, 8))).mean(dim=1))


class ReadsWeights(nn.Module):
    """Multiply by the weight of a layer that is never called."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 20), nn.Linear(20, 10)

    def forward(self, X):
        hidden = nn.functional.linear(X, self.first.weight, self.first.bias)
        return self.last(torch.relu(hidden))


class Halved(nn.Conv2d):
    """A convolution with a forward of its own."""

    def forward(self, X):
        return super().forward(X) / 2


def _doubled(layer):
    layer.forward = types.MethodType(
        lambda self, X: 2 * type(self).forward(self, X), layer
    )
    return layer


def _plain():
    return Images(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        width=16,
    )


def _normalised(norm):
    return Images(nn.Conv2d(1, 8, 3, padding=1, bias=False), norm, nn.ReLU(), width=8)


def _depthwise():
    return Images(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 16, 1),
        nn.ReLU(),
        width=16,
    )


def _one_dimension():
    return nn.Sequential(
        nn.Unflatten(1, (1, 64)),
        nn.Conv1d(1, 8, 5, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(240, 10),
    )


def _without_linear():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3),
        nn.ReLU(),
        nn.Conv2d(16, 10, 6),
        nn.Flatten(),
    )


def _start(*layers):
    return Images(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), *layers, width=8)


KNOWN = {
    "plain": _plain,
    "residual": lambda: _start(Residual(8)),
    "concatenated": lambda: Images(
        nn.Conv2d(1, 8, 3, padding=1), Concatenated(), width=24
    ),
    "depthwise": _depthwise,
    "strided": lambda: Images(nn.Conv2d(1, 16, 3, stride=2), nn.ReLU(), width=16),
    "one dimension": _one_dimension,
    "batch norm": lambda: _normalised(nn.BatchNorm2d(8)),
    "group norm": lambda: _normalised(nn.GroupNorm(2, 8)),
    "one layer twice": lambda: _start(Repeated()),
    "without linear layers": _without_linear,
    "one layer": lambda: nn.Linear(64, 10),
    "control flow": Doubtful,
    "tokens": Rows,
}

REFUSED = {
    "attention": (
        lambda: _Attended(nn.MultiheadAttention(8, 2, batch_first=True)),
        "MultiheadAttention",
    ),
    "weight norm": (
        lambda: _start(parametrizations.weight_norm(nn.Conv2d(8, 8, 3))),
        "ParametrizationList",
    ),
    "spectral norm": (
        lambda: _start(nn.utils.spectral_norm(nn.Conv2d(8, 8, 3))),
        "Conv2d",
    ),
    "a forward of its own, set": (
        lambda: _start(_doubled(nn.Conv2d(8, 8, 3))),
        "Conv2d",
    ),
    "a forward of its own": (lambda: _start(Halved(8, 8, 3)), "Halved"),
    "transposed": (lambda: _start(nn.ConvTranspose2d(8, 8, 3)), "ConvTranspose2d"),
    "common weights": (lambda: Tied("weight"), "Linear"),
    "a common bias": (lambda: Tied("bias"), "Linear"),
}


class Tied(nn.Module):
    """Two layers, one of whose parameters is one tensor."""

    def __init__(self, name):
        super().__init__()
        self.one, self.other = nn.Linear(64, 64), nn.Linear(64, 64)
        setattr(self.other, name, getattr(self.one, name))
        self.head = nn.Linear(64, 10)

    def forward(self, X):
        return self.head(torch.relu(self.other(torch.relu(self.one(X)))))


class _Attended(nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.attention, self.head = attention, nn.Linear(8, 10)

    def forward(self, X):
        X = X.reshape(-1, 8, 8)
        return self.head(self.attention(X, X, X)[0].mean(dim=1))
