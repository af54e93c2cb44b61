"""Compressed layers as torch sees them."""

import copy
import pickle

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from sksparse_nn.modules import PrunedLinear, QuantizedLinear

LAYERS = {
    "pruned": PrunedLinear,
    "pruned, large": PrunedLinear,
    "dynamic": lambda layer: QuantizedLinear(layer, 8, "row"),
    "static": lambda layer: QuantizedLinear(layer, 8, 0.02),
    "8 bits": lambda layer: QuantizedLinear(layer, 8, None),
    "4 bits": lambda layer: QuantizedLinear(layer, 4, None),
}


@pytest.fixture(params=LAYERS, name="layer")
def compressed_layer(request):
    torch.manual_seed(0)
    shape = (700, 512) if request.param == "pruned, large" else (37, 11)
    plain = nn.Linear(*shape)
    with torch.no_grad():
        share = 0.02 if shape[0] == 700 else 0.4
        plain.weight *= torch.rand(plain.weight.shape) < share
    return LAYERS[request.param](plain)


def _rows(layer, *shape):
    torch.manual_seed(1)
    return torch.randn(*shape, layer.in_features)


def test_weights_are_in_the_state(layer):
    torch.manual_seed(2)
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        for part in [twin.bias, twin.values]:
            part.zero_()
    twin.load_state_dict(layer.state_dict())
    rows = _rows(layer, 5)
    with torch.inference_mode():
        assert torch.equal(twin(rows), layer(rows))


def test_weight_is_what_rows_are_multiplied_by(layer):
    rows = _rows(layer, 6)
    with torch.inference_mode():
        expected = nn.functional.linear(rows, layer.weight, layer.bias)
        off = (layer(rows) - expected).abs().max()
    rounds = isinstance(layer, QuantizedLinear) and layer._rounds_input
    assert off < (0.1 if rounds else 1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_graphs_of_a_layer_answer_other_rows_as_it_does(layer):
    some, others = _rows(layer, 3), _rows(layer, 9)[4:]
    with torch.no_grad():
        expected = layer(others)
        traced = torch.jit.trace(layer, some)
        n_rows = torch.export.Dim("n_rows")
        exported = torch.export.export(layer, (some,), dynamic_shapes=({0: n_rows},))
        for graph in (traced, exported.module()):
            assert_allclose(graph(others), expected, atol=1e-5)


def test_rows_may_stand_in_any_number_of_dimensions(layer):
    rows = _rows(layer, 2, 3)
    with torch.inference_mode():
        flat = layer(rows.reshape(6, -1)).reshape(2, 3, -1)
        assert torch.equal(layer(rows), flat)


def test_a_pickle_holds_little_besides_the_numbers(layer):
    numbers = sum(part.nbytes for part in [*layer.buffers(), *layer.parameters()])
    mask = layer.weight.numel() / 8  # where a zero takes a bit
    assert len(pickle.dumps(layer)) < numbers + mask + 1500


def test_what_older_versions_have_stored_is_read(layer):
    state = layer.__getstate__()
    bias = nn.Parameter(torch.from_numpy(state["_parameters"]["bias"]))
    buffers = {name: torch.from_numpy(x) for name, x in state["_buffers"].items()}
    twin = type(layer).__new__(type(layer))
    twin.__setstate__(state | {"_parameters": {"bias": bias}, "_buffers": buffers})
    rows = _rows(layer, 5)
    with torch.inference_mode():
        assert torch.equal(twin(rows), layer(rows))


def test_a_bias_that_numpy_does_not_know_is_kept():
    layer = QuantizedLinear(nn.Linear(3, 2), 8, None)
    layer.bias = nn.Parameter(layer.bias.bfloat16(), requires_grad=False)
    twin = pickle.loads(pickle.dumps(layer))
    assert torch.equal(twin.bias, layer.bias)
