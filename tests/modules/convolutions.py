"""A convolution of each kind, the forms that it is stored in, and a sample of it."""

import torch
from torch import nn

from sksparse_nn.modules._facts import prune, quantize

PLAIN = {
    "two dimensions": (lambda: nn.Conv2d(3, 8, 3), (3, 7, 6)),
    "without bias": (lambda: nn.Conv2d(3, 8, 3, bias=False), (3, 7, 6)),
    "padded, strided": (lambda: nn.Conv2d(3, 8, 3, stride=2, padding=1), (3, 7, 6)),
    "same size": (lambda: nn.Conv2d(3, 8, 3, padding="same", dilation=2), (3, 7, 6)),
    "mirrored": (
        lambda: nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"),
        (3, 7, 6),
    ),
    "of single positions": (lambda: nn.Conv2d(6, 8, 1), (6, 4, 4)),
    "grouped": (lambda: nn.Conv1d(4, 8, 3, groups=2, stride=2), (4, 9)),
    "depthwise": (lambda: nn.Conv2d(4, 8, 3, groups=4, padding=1), (4, 5, 5)),
    "one dimension": (lambda: nn.Conv1d(3, 8, 5, padding=2), (3, 9)),
    "three dimensions": (lambda: nn.Conv3d(2, 4, (1, 3, 2)), (2, 3, 5, 4)),
}

STORED = {
    "pruned": prune,
    "dynamic": lambda layer: quantize(layer, 8, "row"),
    "static": lambda layer: quantize(layer, 8, 0.03),
    "8 bits": lambda layer: quantize(layer, 8, None),
    "4 bits": lambda layer: quantize(layer, 4, None),
    "pruned, dynamic": lambda layer: quantize(prune(layer), 8, "row"),
    "pruned, 4 bits": lambda layer: quantize(prune(layer), 4, None),
}


def plain(name):
    """Return a convolution of which half of the weights are zero, and samples."""
    torch.manual_seed(0)
    make, shape = PLAIN[name]
    layer = make().requires_grad_(False)
    layer.weight *= torch.rand(layer.weight.shape) < 0.5
    return layer, torch.randn(5, *shape)
