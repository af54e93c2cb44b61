"""A layer is a matrix, and the rows that it multiplies."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from sksparse_nn.modules import _layer_rows
from sksparse_nn.modules._layer_rows import input_rows, matrices, output_rows

LAYERS = {
    "linear": (lambda: nn.Linear(7, 5), (4, 7)),
    "linear on tokens": (lambda: nn.Linear(7, 5), (4, 3, 2, 7)),
    "no bias": (lambda: nn.Conv2d(3, 4, 3, bias=False), (4, 3, 6, 5)),
    "strided": (
        lambda: nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=1),
        (4, 3, 7, 6),
    ),
    "dilated": (lambda: nn.Conv2d(3, 4, 3, dilation=(1, 2), padding=2), (4, 3, 7, 6)),
    "grouped": (lambda: nn.Conv2d(6, 4, 3, groups=2, padding=1), (4, 6, 5, 5)),
    "depthwise": (lambda: nn.Conv2d(6, 12, 3, groups=6), (4, 6, 5, 5)),
    "same": (lambda: nn.Conv2d(3, 4, (5, 3), padding="same"), (4, 3, 5, 5)),
    "valid": (lambda: nn.Conv2d(3, 4, 3, padding="valid"), (4, 3, 5, 5)),
    "reflected": (
        lambda: nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="reflect"),
        (4, 3, 5, 6),
    ),
    "circular": (
        lambda: nn.Conv1d(3, 4, 5, padding=2, padding_mode="circular"),
        (4, 3, 9),
    ),
    "replicated": (
        lambda: nn.Conv3d(2, 3, 3, padding=1, padding_mode="replicate"),
        (3, 2, 4, 3, 5),
    ),
    "one dimension": (lambda: nn.Conv1d(3, 4, 5, stride=3), (4, 3, 40)),
    "one image": (lambda: nn.Conv2d(3, 4, 3), (3, 5, 6)),
}
each_layer = pytest.mark.parametrize("name", LAYERS)


def made(name):
    torch.manual_seed(0)
    make, shape = LAYERS[name]
    layer = make().double()
    given = torch.randn(shape, dtype=torch.float64)
    with torch.no_grad():
        return layer, given, layer(given)


@pytest.mark.parametrize("n_positions", [5, 1000])
@each_layer
def test_outputs_are_products_of_rows_and_matrices(monkeypatch, name, n_positions):
    monkeypatch.setattr(_layer_rows, "MOST_POSITIONS", n_positions)
    layer, given, outputs = made(name)
    rows, which = input_rows(layer, given, 3)
    products = np.concatenate(
        [part @ W.T for part, W in zip(rows, matrices(layer).numpy(), strict=True)],
        axis=1,
    )
    if layer.bias is not None:
        products += layer.bias.detach().numpy()
    assert_allclose(output_rows(layer, outputs, 3)[0], products, atol=1e-12)
    assert len(which) == len(products)


@each_layer
def test_all_positions_of_each_sample_come_where_they_are_few(monkeypatch, name):
    monkeypatch.setattr(_layer_rows, "MOST_POSITIONS", 1000)
    layer, given, outputs = made(name)
    assert output_rows(layer, outputs, 0)[0].size == outputs.numel()
    n_samples = 1 if name == "one image" else len(given)
    _, which = input_rows(layer, given, 0)
    assert_array_equal(np.bincount(which), len(which) // n_samples)


def test_as_many_positions_are_drawn_of_each_sample():
    layer, images = nn.Conv2d(1, 1, 1), torch.arange(2 * 64.0).reshape(2, 1, 8, 8)
    rows, which = input_rows(layer, images, 0)
    assert_array_equal(which, np.repeat([0, 1], 16))
    assert len(np.unique(rows)) == 32
    assert (input_rows(layer, images, 1)[0] != rows).any()
    assert_array_equal(input_rows(layer, images, 0)[0], rows)
