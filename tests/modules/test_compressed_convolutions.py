"""Convolutions that store their weights in less memory."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sksparse_nn.modules._facts import (
    count_multiply_adds,
    factorize,
    is_convolution,
    is_linear,
    make_plain,
    measure_buffers,
    prune,
    quantize,
    traits,
)
from sksparse_nn.modules._size import Size
from sksparse_nn.solvers.layers import LowRank, Tucker
from tests.modules.convolutions import PLAIN, STORED, plain

kinds = pytest.mark.parametrize("kind", PLAIN)
forms = pytest.mark.parametrize("form", STORED)


def rounded(X, scale):
    """Return the integers that samples are rounded to, times their scales."""
    if scale == "row":
        axes = tuple(range(1, X.ndim))
        scale = np.abs(X).max(axis=axes, keepdims=True) / 127
    return np.rint(X / scale).clip(-127, 127) * scale


def answers_of_rounded(layer, X, scale):
    """Convolve rounded samples with the weights as floats, in double precision."""
    twin = make_plain(layer).double()
    return twin(torch.from_numpy(rounded(X.double().numpy(), scale))).detach()


@kinds
@forms
def test_answers_are_those_of_the_stored_weights(kind, form):
    layer, X = plain(kind)
    small = STORED[form](layer)
    scales = {"dynamic": "row", "pruned, dynamic": "row", "static": 0.03}
    if form in scales:
        expected = answers_of_rounded(small, X, scales[form])
    else:
        expected = make_plain(small)(X).detach()
    assert_allclose(small(X), expected, atol=2e-6)


@kinds
@forms
def test_a_sample_is_answered_by_itself(kind, form):
    layer, X = plain(kind)
    small = STORED[form](layer)
    batch = torch.cat([X, 100 * X])
    assert_allclose(small(batch)[:1], small(X[:1]), atol=2e-6)
    assert_allclose(small(X[0]), small(X)[0], atol=2e-6)


@kinds
@forms
def test_copies_and_what_was_stored_answer_bit_for_bit(kind, form):
    layer, X = plain(kind)
    small = STORED[form](layer)
    twins = [copy.deepcopy(small), pickle.loads(pickle.dumps(small))]
    other = copy.deepcopy(small)
    for buffer in other.buffers():
        buffer.zero_()
    other.load_state_dict(small.state_dict())
    for twin in [*twins, other]:
        assert torch.equal(twin(X), small(X))


@kinds
def test_pruning_keeps_the_weights(kind):
    layer, X = plain(kind)
    small = prune(layer)
    assert torch.equal(small.weight, layer.weight)
    assert torch.equal(small(X), layer(X))
    assert traits(small).keeps_zeros


@kinds
@pytest.mark.parametrize("n_bits", [8, 4])
def test_quantizing_rounds_by_half_a_step_at_most(kind, n_bits):
    layer, _ = plain(kind)
    small = quantize(layer, n_bits, None)
    weight, found = layer.weight.flatten(1), small.weight.flatten(1)
    step = weight.abs().amax(1, keepdim=True) / (2 ** (n_bits - 1) - 1)
    assert ((found - weight).abs() <= step / 2 + 1e-6).all()
    assert traits(small).holds_integers


@kinds
@forms
def test_it_counts_what_the_plain_layer_has(kind, form):
    layer, X = plain(kind)
    small = STORED[form](layer)
    size = Size.of(list(small.parameters())) + measure_buffers(small)
    assert size.parameters == sum(p.numel() for p in layer.parameters())
    n_weights = int(small.weight.count_nonzero())
    n_biases = 0 if layer.bias is None else len(layer.bias)
    assert size.nonzero == n_weights + n_biases
    n_bytes = sum(part.nbytes for part in small.state_dict().values() if part.ndim)
    assert size.n_bytes == n_bytes
    positions = layer(X[:1]).numel() // layer.out_channels
    shape = tuple(small(X[:1]).shape)
    assert count_multiply_adds(small, shape) == n_weights * positions


@kinds
def test_work_is_what_torch_counts(kind):
    layer, X = plain(kind)
    layer.weight[:] = 1
    counter = FlopCounterMode(display=False)
    with counter:
        out = layer(X[:1])
    expected = counter.get_total_flops() // 2
    assert count_multiply_adds(layer, tuple(out.shape)) == expected
    assert count_multiply_adds(prune(layer), tuple(out.shape)) == expected


@kinds
@forms
def test_plain_twins_can_be_trained(kind, form):
    layer, X = plain(kind)
    twin = make_plain(STORED[form](layer))
    assert type(twin) is type(layer)
    twin(X).sum().backward()
    assert all(weight.grad is not None for weight in twin.parameters())


def with_shift(layer, outputs):
    shift = np.arange(len(layer.weight), dtype=np.float32)
    n_dims = layer.weight.ndim - 2
    return shift, outputs + torch.from_numpy(shift).reshape(-1, *[1] * n_dims)


@kinds
@torch.no_grad()
def test_factors_answer_as_their_product(kind):
    layer, X = plain(kind)
    if layer.groups > 1:
        pytest.skip("each group has a matrix of its own")
    shift, expected = with_shift(layer, layer(X))
    weight = layer.weight.flatten(1).numpy()
    factors = LowRank(np.eye(len(weight), dtype=weight.dtype), weight, shift)
    first, second = factorize(layer, factors)
    assert_allclose(second(first(X)), expected, atol=1e-5)


@kinds
@torch.no_grad()
def test_three_kernels_answer_as_their_product(kind):
    layer, X = plain(kind)
    if layer.groups > 1:
        pytest.skip("each group has a kernel of its own")
    shift, expected = with_shift(layer, layer(X))
    weight = layer.weight.flatten(2).numpy()
    n_outputs, n_inputs = (np.eye(n, dtype=weight.dtype) for n in weight.shape[:2])
    before, middle, after = factorize(layer, Tucker(n_inputs, weight, n_outputs, shift))
    assert_allclose(after(middle(before(X))), expected, atol=1e-5)


def test_a_layer_that_was_pruned_is_written_as_it_is():
    layer, _ = plain("padded, strided")
    small = prune(layer)
    assert repr(small).replace("Pruned", "").replace("olution", "2d") == repr(layer)
    assert is_convolution(small)
    assert not is_linear(small)


@forms
def test_zeros_take_no_room_in_a_pickle(form):
    layer = nn.Conv2d(32, 64, 3).requires_grad_(False)
    layer.weight *= torch.rand(layer.weight.shape) < 0.05
    few = STORED[form](layer)
    layer.weight[:] = 1
    full = STORED[form](layer)
    assert len(pickle.dumps(few)) < 0.75 * len(pickle.dumps(full))


@forms
def test_hooks_of_the_given_layer_stay_with_it(form):
    layer, X = plain("two dimensions")
    seen = []
    layer.register_forward_hook(lambda *called: seen.append(called))
    small = STORED[form](layer)
    small(X)
    assert not seen


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@forms
def test_graphs_of_a_layer_answer_other_samples_as_it_does(form):
    layer, X = plain("padded, strided")
    small = STORED[form](layer)
    n_rows = torch.export.Dim("n_rows")
    exported = torch.export.export(small, (X[:3],), dynamic_shapes=({0: n_rows},))
    traced = torch.jit.trace(small, X[:3])
    for graph in (exported.module(), traced):
        assert_allclose(graph(X[1:]), small(X[1:]), atol=1e-5)


def test_the_weights_belong_to_the_caller():
    layer, _ = plain("two dimensions")
    small = prune(layer)
    small.weight[:] = 7
    assert_array_equal(small.weight, layer.weight)


@kinds
def test_fewer_bits_take_fewer_bytes(kind):
    layer, _ = plain(kind)
    few, more = quantize(layer, 4, None), quantize(layer, 8, None)
    assert few.n_bytes < layer.weight.nbytes
    assert more.n_bytes < layer.weight.nbytes
    if few.matrix_shape[1] <= 32:
        assert few.n_bytes <= more.n_bytes
