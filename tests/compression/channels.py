"""Networks of images of one channel and 8 x 8 numbers, of which channels go."""

import torch
from torch import nn

from tests.compression.architectures import Concatenated, Images, Repeated, Residual


def images(*layers):
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), *layers)


class Joined(nn.Module):
    """Branches that are joined, and then read by numbers."""

    def __init__(self, width):
        super().__init__()
        self.one, self.other = nn.Conv2d(1, width, 3), nn.Conv2d(1, 6, 3)
        self.head = nn.Linear(36 * width + 216, 10)

    def forward(self, X):
        X = X.reshape(-1, 1, 8, 8)
        both = torch.cat([self.one(X), self.other(X)], dim=1)
        return self.head(torch.relu(both).flatten(1))


class Gated(nn.Module):
    """Channels multiplied by what their means say."""

    def __init__(self, width):
        super().__init__()
        self.down, self.up = nn.Linear(width, 4), nn.Linear(4, width)

    def forward(self, X):
        gates = self.up(torch.relu(self.down(X.mean(dim=(2, 3)))))
        return X * torch.sigmoid(gates)[:, :, None, None]


class Normalised(nn.Module):
    """Divide by the norm over all channels."""

    def forward(self, X):
        return nn.functional.normalize(X, dim=1)


class Scaled(nn.Module):
    """One number per channel."""

    def __init__(self, width):
        super().__init__()
        self.factors = nn.Parameter(torch.linspace(0.5, 2, width))

    def forward(self, X):
        return X * self.factors[:, None, None]


class Shaped(nn.Module):
    """A shape that is written down."""

    def forward(self, X):
        return X.reshape(len(X), 16, 4, 16).mean(dim=(2, 3))


def _norms():
    return images(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.PReLU(8),
        nn.Conv2d(8, 12, 3, groups=2),
        nn.GroupNorm(6, 12),
        nn.ReLU(),
        nn.Sequential(nn.Conv2d(12, 8, 1), nn.InstanceNorm2d(8, affine=True)),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.BatchNorm1d(72),
        nn.Linear(72, 20),
        nn.Dropout(0.1),
        nn.Tanh(),
        nn.Linear(20, 10),
    )


PLAIN = {
    "two convolutions": lambda: images(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 6, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(54, 10),
    ),
    "norms": _norms,
    "depthwise": lambda: images(
        nn.Conv2d(1, 6, 3, padding=1, padding_mode="reflect"),
        nn.ReLU(),
        nn.Conv2d(6, 12, 3, padding="same", dilation=2, groups=6),
        nn.SiLU(),
        nn.Conv2d(12, 8, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    ),
    "one dimension": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 64)),
        nn.Conv1d(1, 8, 5, stride=2, padding=2, padding_mode="circular"),
        nn.ELU(),
        nn.Conv1d(8, 8, 3, dilation=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(224, 10),
    ),
    "three dimensions": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 4, 4, 4)),
        nn.Conv3d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool3d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    ),
    "linear layers": lambda: nn.Sequential(
        nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 10)
    ),
}

GRAPHS = {
    "residual": lambda: Images(nn.Conv2d(1, 8, 3), Residual(8), Residual(8), width=8),
    "concatenated": lambda: Images(nn.Conv2d(1, 8, 3), Concatenated(), width=24),
    "gated": lambda: Images(nn.Conv2d(1, 8, 3), nn.ReLU(), Gated(8), width=8),
    "one layer twice": lambda: Images(nn.Conv2d(1, 8, 3), Repeated(), width=8),
    "groups": lambda: Images(
        nn.Conv2d(1, 8, 3),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=4),
        nn.GroupNorm(4, 8),
        Residual(8),
        width=8,
    ),
}

REFUSED_CHANNELS = {
    "written shapes": (
        lambda: nn.Sequential(
            *images(nn.Conv2d(1, 16, 1)), Shaped(), nn.Linear(16, 10)
        ),
        r"Conv2d \('1' of the network\)",
    ),
    "joined, then flat": (lambda: Joined(6), r"Conv2d \('\w+' of the network\)"),
    "joined of two widths": (lambda: Joined(4), r"Conv2d \('\w+' of the network\)"),
    "a norm over channels": (
        lambda: Images(nn.Conv2d(1, 8, 3), Normalised(), width=8),
        r"Conv2d \('body.0' of the network\).*outputs are others",
    ),
    "a number per channel": (
        lambda: Images(nn.Conv2d(1, 8, 3), Scaled(8), width=8),
        "hidden channels that can be removed",
    ),
    "no hidden channels": (lambda: nn.Linear(64, 10), "Got Linear without any"),
}
