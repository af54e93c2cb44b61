"""Each kind of layer says of itself what is true of it."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sksparse_nn.modules._facts import (
    count_multiply_adds,
    dense_weight,
    factorize,
    is_known,
    is_linear,
    make_plain,
    measure_buffers,
    prune,
    quantize,
    traits,
)
from sksparse_nn.modules._size import Size
from sksparse_nn.solvers.layers import LowRank
from tests.modules.layers import LINEAR, OTHERS, UNKNOWN

ASKED = {
    "dense_weight": dense_weight,
    "multiply_adds": lambda layer: count_multiply_adds(layer, (1, 4)),
    "prune": prune,
    "quantize": lambda layer: quantize(layer, 8, None),
    "factorize": lambda layer: factorize(layer, None),
}


@pytest.fixture(params=LINEAR, name="layer")
def linear_layer(request):
    torch.manual_seed(0)
    return LINEAR[request.param]()


@pytest.fixture(params=OTHERS, name="other")
def other_layer(request):
    torch.manual_seed(0)
    make, shape = OTHERS[request.param]
    return make().eval(), torch.randn(1, *shape)


def unit_rows(layer):
    return torch.eye(layer.in_features)


def bias_of(layer):
    return 0 if layer.bias is None else layer.bias.detach().numpy()


@torch.no_grad()
def test_the_matrix_is_what_unit_rows_become(layer):
    products = layer(unit_rows(layer)).numpy() - bias_of(layer)
    assert_allclose(dense_weight(layer).T, products, atol=2e-6)


def test_the_matrix_belongs_to_the_caller(layer):
    before = dense_weight(layer)
    dense_weight(layer)[:] = 7
    assert_array_equal(dense_weight(layer), before)


def test_numbers_are_those_of_the_matrix_and_the_bias(layer):
    size = Size.of(list(layer.parameters())) + measure_buffers(layer)
    weight, bias = dense_weight(layer), bias_of(layer)
    n_biases = 0 if layer.bias is None else len(bias)
    assert size.parameters == weight.size + n_biases
    assert size.nonzero == np.count_nonzero(weight) + np.count_nonzero(bias)


def test_a_row_is_multiplied_by_what_is_not_zero(layer):
    n_nonzero = np.count_nonzero(dense_weight(layer))
    assert count_multiply_adds(layer, (1, layer.out_features)) == n_nonzero
    assert count_multiply_adds(layer, (2, 3, layer.out_features)) == 6 * n_nonzero


@torch.no_grad()
def test_the_plain_twin_answers_as_the_layer_does(layer):
    twin = make_plain(layer)
    assert type(twin) is nn.Linear
    assert_array_equal(dense_weight(twin), dense_weight(layer))
    assert_array_equal(bias_of(twin), bias_of(layer))


def test_plain_layers_are_their_own_twins(other):
    assert make_plain(other[0]) is other[0]
    layer = nn.Linear(2, 3)
    assert make_plain(layer) is layer


def test_plain_twins_can_be_trained(layer):
    twin = make_plain(layer)
    twin(unit_rows(twin)).sum().backward()
    assert all(weight.grad is not None for weight in twin.parameters())


def test_pruning_keeps_the_matrix(layer):
    twin = prune(make_plain(layer))
    assert_array_equal(dense_weight(twin), dense_weight(layer))
    assert traits(twin).keeps_zeros


@pytest.mark.parametrize("n_bits", [8, 4])
def test_quantizing_rounds_by_half_a_step_at_most(layer, n_bits):
    twin, weight = quantize(make_plain(layer), n_bits, None), dense_weight(layer)
    step = np.abs(weight).max(axis=1, keepdims=True) / (2 ** (n_bits - 1) - 1)
    assert (np.abs(dense_weight(twin) - weight) <= step / 2 + 1e-6).all()
    assert traits(twin).holds_integers


@torch.no_grad()
def test_factors_answer_as_their_product(layer):
    layer = make_plain(layer)
    weight = layer.weight.numpy()
    shift = np.arange(len(weight), dtype=weight.dtype)
    factors = LowRank(np.eye(len(weight), dtype=weight.dtype), weight, shift)
    first, second = factorize(layer, factors)
    rows = torch.randn(5, layer.in_features)
    assert_allclose(second(first(rows)), layer(rows).numpy() + shift, atol=1e-5)


def test_layers_off_the_processor_are_plain(layer):
    assert traits(layer).needs_cpu == (type(layer) is not nn.Linear)


def test_work_is_what_torch_counts(other):
    layer, rows = other
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        out = layer(rows)
    expected = counter.get_total_flops() // 2
    assert count_multiply_adds(layer, tuple(out.shape)) == expected


def test_buffers_are_room_and_no_parameters():
    assert measure_buffers(nn.BatchNorm1d(5)) == Size(n_bytes=2 * 5 * 4)
    assert measure_buffers(nn.Linear(2, 3)) == Size()


@pytest.mark.parametrize("layer", UNKNOWN, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("fact", ASKED)
def test_what_is_not_known_of_a_kind_is_refused_by_its_name(layer, fact):
    with pytest.raises(TypeError, match=f"Got {type(layer).__name__}"):
        ASKED[fact](layer)


def test_a_kind_of_ones_own_is_registered_and_known():
    class Doubling(nn.Module):
        pass

    assert not is_known(count_multiply_adds, Doubling())
    count_multiply_adds.register(Doubling, lambda layer, shape: 2)
    dense_weight.register(Doubling, lambda layer: 2 * np.eye(3))
    assert is_linear(Doubling())
    assert count_multiply_adds(Doubling(), (1, 3)) == 2
