"""Pruning, quantizing and factorizing matrices, against their definitions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.kernels.quantized import int8_product
from sksparse_nn.solvers.layers import (
    CRITERIA,
    choose_neurons,
    choose_weights,
    dequantize_matrix,
    largest_of_rows,
    quantize_for_products,
    quantize_matrix,
)

SHAPES = [(7, 5), (1, 1), (64, 100), (3, 33), (10, 0)]

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_width = pytest.mark.parametrize("n_bits", [4, 8])


def matrix(shape, dtype=np.float32):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@every_width
@every_shape
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_numbers_are_at_most_half_a_step_away(shape, n_bits, scale):
    W = matrix(shape) * np.float32(scale)
    q = quantize_matrix(W, n_bits)
    size = W.shape[1] if n_bits == 8 else 32
    steps = np.repeat(q.scales, max(size, 1), axis=1)[:, : W.shape[1]]
    assert np.all(np.abs(dequantize_matrix(q) - W) <= 0.5001 * steps)
    assert q.values.dtype.itemsize == 1


@every_width
def test_zeros_stay_zeros_and_rows_have_scales_of_their_own(n_bits):
    W = matrix((4, 64))
    W[0], W[1, ::2], W[2] = 0, 0, 1e-8
    back = dequantize_matrix(quantize_matrix(W, n_bits))
    assert_array_equal(back[W == 0], 0)
    assert_allclose(back[2], 1e-8, rtol=1e-6)


def _round_one_by_one(W, H, n_bits):
    """Round each column, then solve for those that follow by least squares."""
    rest, out = W.astype(np.float64), np.zeros(W.shape)
    largest = 2 ** (n_bits - 1) - 1
    size = W.shape[1] if n_bits == 8 else 32
    for j in range(W.shape[1]):
        if j % size == 0:
            steps = np.float32(np.abs(rest[:, j : j + size]).max(axis=1) / largest)
        out[:, j] = np.rint(rest[:, j] / steps).clip(-largest, largest) * steps
        error, others = out[:, j] - rest[:, j], slice(j + 1, None)
        if j + 1 < W.shape[1]:
            change = np.linalg.solve(H[others, others], H[others, j])
            rest[:, others] -= np.outer(error, change)
    return out


@every_width
def test_later_columns_make_up_for_the_rounding_of_earlier_ones(n_bits):
    W, X = (
        matrix((5, 40)),
        matrix((200, 10)) @ matrix((10, 40)) + 0.1 * matrix((200, 40)),
    )
    H = X.T.astype(np.float64) @ X
    q = quantize_for_products(W, H[None], n_bits)
    penalised = H / np.mean(H.diagonal()) + 1e-2 * np.eye(40)
    expected = _round_one_by_one(W, penalised, n_bits)
    assert_allclose(dequantize_matrix(q), expected, atol=1e-5)
    plain = dequantize_matrix(quantize_matrix(W, n_bits))
    lost = [np.sum((X @ (V - W).T) ** 2) for V in (dequantize_matrix(q), plain)]
    assert lost[0] < 0.5 * lost[1]


@every_width
@every_shape
def test_without_inputs_columns_are_rounded_as_they_are(shape, n_bits):
    W = matrix(shape)
    squares = np.zeros((1, shape[1], shape[1]))
    found = quantize_for_products(W, squares, n_bits)
    plain = quantize_matrix(W, n_bits)
    assert_array_equal(dequantize_matrix(found), dequantize_matrix(plain))


@every_width
def test_groups_of_rows_have_inputs_of_their_own(n_bits):
    W, H = matrix((6, 9)), matrix((2, 9, 9))
    H = H @ H.swapaxes(1, 2)
    found = dequantize_matrix(quantize_for_products(W, H, n_bits))
    parts = [
        quantize_for_products(W[3 * i :][:3], H[i : i + 1], n_bits) for i in (0, 1)
    ]
    assert_array_equal(found, np.vstack([dequantize_matrix(part) for part in parts]))


@every_width
def test_zeros_of_a_matrix_of_zeros_stay(n_bits):
    found = quantize_for_products(np.zeros((4, 7)), np.eye(7)[None], n_bits)
    assert_array_equal(dequantize_matrix(found), 0)


def test_four_bits_are_half_a_byte():
    assert quantize_matrix(matrix((10, 64)), 4).values.nbytes == 320


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (3, 1000)])
def test_products_of_integers_are_exact(shape):
    rng = np.random.default_rng(0)
    A = rng.integers(-127, 128, shape).astype(np.int8)
    B = rng.integers(-127, 128, (4, shape[1])).astype(np.int8)
    out = np.empty((shape[0], 4), np.int32)
    int8_product(A, B, out)
    assert_array_equal(out, A.astype(int) @ B.T.astype(int))


def test_the_best_weights_of_all_layers_are_kept():
    scores = [np.array([[5.0, 1], [2, 9]]), np.array([[3.0, 4]])]
    one, other = choose_weights(scores, 0.5)
    assert_array_equal(one, [[True, False], [False, True]])
    assert_array_equal(other, [[False, True]])


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.999, 1.0])
def test_as_many_weights_are_kept_as_asked_for(amount):
    scores = [np.ones((6, 5)), matrix((9, 6)) ** 2]
    n_kept = sum(mask.sum() for mask in choose_weights(scores, amount))
    assert n_kept == 84 - round(84 * amount)


@pytest.mark.parametrize("amount", [0.0, 0.5, 0.9, 1.0])
def test_needed_weights_are_kept_among_the_others(amount):
    rng = np.random.default_rng(0)
    scores = [rng.random((8, 5)), rng.random((6, 10))]
    needed = [largest_of_rows(-scores[0]), None]
    kept = choose_weights(scores, amount, needed)
    assert kept[0][needed[0]].all()
    assert sum(mask.sum() for mask in kept) == max(100 - round(100 * amount), 8)


def test_one_entry_of_each_row_is_its_largest():
    weight = np.array([[1.0, -3.0, 3.0], [0.0, 0.0, 0.0]])
    assert_array_equal(
        largest_of_rows(weight), [[False, True, False], [True, False, False]]
    )


def test_layers_of_any_scale_keep_their_best_neurons():
    scores = [np.array([1.0, 2, 3, 4]), 1e6 * np.array([4.0, 3, 2, 1])]
    one, other = choose_neurons(scores, 0.5)
    assert_array_equal(one, [2, 3])
    assert_array_equal(other, [0, 1])


def test_every_layer_keeps_a_neuron():
    one, other = choose_neurons([np.array([1.0, 1e9]), np.zeros(3)], 1.0)
    assert_array_equal(one, [1])
    assert len(other) == 1


def test_first_order_is_the_change_of_a_linear_loss():
    W, G = matrix((3, 4)), matrix((3, 4)) ** 3
    expected = [[abs((W * G)[i, j]) for j in range(4)] for i in range(3)]
    assert_allclose(CRITERIA["first_order"].score(W, G), expected)
    assert_allclose(CRITERIA["magnitude"].score(W, None), np.abs(W))


def test_a_share_of_the_rest_is_a_square_over_those_that_are_not_smaller():
    W = np.abs(matrix((4, 6)))
    expected = [[w**2 / (W[w <= W] ** 2).sum() for w in row] for row in W]
    across_layers = CRITERIA["layer_adaptive"].across_layers
    assert_allclose(across_layers(W), expected, rtol=1e-6)
    assert_array_equal(across_layers(np.zeros((2, 3))), np.zeros((2, 3)))


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
def test_the_scale_of_a_layer_does_not_count_in_its_shares(scale):
    W = matrix((4, 6)).astype(np.float64)
    across_layers = CRITERIA["layer_adaptive"].across_layers
    assert_allclose(across_layers(scale * W), across_layers(W), rtol=1e-12)
