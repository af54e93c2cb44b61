"""A layer of each kind that is known, with rows that it takes."""

import torch
from torch import nn

from sksparse_nn.modules._facts import make_plain, prune, quantize


def _linear():
    layer = nn.Linear(11, 37)
    with torch.no_grad():
        layer.weight *= torch.rand(layer.weight.shape) < 0.4
    return layer


LINEAR = {
    "plain": _linear,
    "without bias": lambda: nn.Linear(11, 37, bias=False),
    "pruned": lambda: prune(_linear()),
    "dynamic": lambda: quantize(_linear(), 8, "row"),
    "8 bits": lambda: quantize(_linear(), 8, None),
    "4 bits": lambda: quantize(_linear(), 4, None),
    "pruned, 8 bits": lambda: quantize(prune(_linear()), 8, None),
    "back from 8 bits": lambda: make_plain(quantize(_linear(), 8, None)),
}

OTHERS = {
    "convolution": (lambda: nn.Conv2d(2, 4, 3), (2, 6, 5)),
    "grouped": (lambda: nn.Conv1d(4, 8, 3, groups=2, stride=2), (4, 9)),
    "norm": (lambda: nn.BatchNorm1d(5), (5,)),
    "layer norm": (lambda: nn.LayerNorm(5), (5,)),
    "PReLU": (nn.PReLU, (5,)),
}

UNKNOWN = [nn.Bilinear(3, 4, 5), nn.LSTM(3, 4), nn.MultiheadAttention(4, 2)]
