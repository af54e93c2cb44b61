"""Factors of layers by their outputs, and ranks of all layers, against definitions."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.solvers.layers import (
    LayerSums,
    choose_exactly,
    choose_share,
    find_input_channels,
    find_output_directions,
    list_options,
    project_outputs,
    spend_loss,
    spend_weights,
    split_kernel,
)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def sums_of(rows, weight=None):
    found = LayerSums()
    weight = np.ones(len(rows)) if weight is None else weight
    for block in (slice(7), slice(7, None)):
        found.add(rows[block], rows[block, :0], weight[block])
    return found.centred()


def factors_for(weight, inputs, rank):
    mean, squares = sums_of(inputs @ weight.T)
    directions = find_output_directions(weight, squares)
    basis = directions.basis[:, :rank]
    return directions, project_outputs(weight, basis, mean)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_sums_are_those_of_all_rows(offset):
    rows, weight = draw(50, 4) + offset, np.arange(50) % 3
    mean, squares = sums_of(rows, weight)
    repeated = np.repeat(rows, weight, axis=0)
    assert_allclose(mean, repeated.mean(axis=0), rtol=1e-12)
    expected = np.cov(repeated.T, bias=True) * len(repeated)
    assert_allclose(squares, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (5, 5), (1, 4), (4, 1)], ids=str)
@pytest.mark.parametrize("rank", [1, 3, 5])
def test_factors_lose_least_of_the_outputs(shape, rank):
    weight, inputs = draw(*shape), draw(200, shape[1], seed=1) * 2 + 3
    outputs = inputs @ weight.T
    _, factors = factors_for(weight, inputs, rank)
    found = inputs @ factors.right.T @ factors.left.T + factors.shift
    U, s, V = np.linalg.svd(outputs - outputs.mean(axis=0), full_matrices=False)
    best = outputs.mean(axis=0) + (U[:, :rank] * s[:rank]) @ V[:rank]
    assert_allclose(found, best, atol=1e-6 * np.abs(best).max())


def test_what_is_lost_is_told():
    weight, inputs = draw(8, 8), draw(300, 8, seed=1) * 0.5 ** np.arange(8)
    directions, factors = factors_for(weight, inputs, 3)
    outputs = inputs @ weight.T
    missing = outputs - inputs @ factors.right.T @ factors.left.T - factors.shift
    share = np.sum(missing**2) / np.sum((outputs - outputs.mean(axis=0)) ** 2)
    assert_allclose(directions.lost[3], share, rtol=1e-5)
    assert directions.lost[0] == 1
    assert_allclose(directions.lost[-1], 0, atol=1e-12)


def test_directions_that_no_output_shows_follow_the_weights():
    weight, inputs = draw(10, 10) * 10.0 ** -np.arange(10), draw(2, 10, seed=1)
    directions, _ = factors_for(weight, np.repeat(inputs, 5, axis=0), 2)
    kept = directions.basis[:, :3]
    lost = weight - kept @ kept.T @ weight
    assert np.linalg.norm(lost) < 0.2 * np.linalg.norm(weight)


@pytest.mark.parametrize("weight", [np.zeros((3, 4)), np.ones((3, 4))], ids=["0", "1"])
def test_outputs_that_never_vary_need_their_means_only(weight):
    inputs = np.ones((20, 4))
    directions, factors = factors_for(weight, inputs, 1)
    found = inputs @ factors.right.T @ factors.left.T + factors.shift
    assert_allclose(found, inputs @ weight.T, atol=1e-12)
    assert_allclose(directions.lost[1:], 0)


def test_kernels_of_all_channels_are_the_whole():
    kernel, inputs = draw(6, 4, 9), draw(100, 4, seed=1) @ draw(4, 4, seed=2)
    channels = find_input_channels(kernel, inputs.T @ inputs)
    assert_allclose(channels.back @ channels.into, np.eye(4), atol=1e-8)
    parts = split_kernel(kernel, channels, 4, np.eye(6), np.zeros(6))
    found = np.einsum("or,rjp,ji->oip", parts.left, parts.core, parts.into)
    assert_allclose(found, kernel, atol=1e-8)
    assert_allclose(np.linalg.norm(parts.into, axis=1), 1)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_combined_channels_lose_least_of_independent_positions(rank):
    kernel, inputs = draw(6, 4, 1), draw(500, 4, seed=1) @ draw(4, 4, seed=2)
    channels = find_input_channels(kernel, inputs.T @ inputs)
    weight, outputs = kernel[:, :, 0], inputs @ kernel[:, :, 0].T
    kept = inputs @ channels.into[:rank].T @ channels.back[:, :rank].T @ weight.T
    singular = np.linalg.svd(outputs, compute_uv=False) ** 2
    assert_allclose(np.sum((kept - outputs) ** 2), singular[rank:].sum(), rtol=1e-6)
    assert_allclose(channels.lost[rank], singular[rank:].sum() / singular.sum())


def test_channels_that_are_always_zero_are_left_out():
    kernel, squares = draw(6, 4, 9), np.diag([1.0, 0.0, 2.0, 0.0])
    channels = find_input_channels(kernel, squares)
    assert channels.lost[2] < 1e-6
    assert np.isfinite(channels.into).all()


def options_of(lost, side=10):
    ranks = np.arange(1, len(lost) + 1)[:, None]
    return list_options(ranks, lost, 2 * side * ranks[:, 0], side * side)


def test_ranks_that_do_not_pay_are_no_options():
    options = options_of(0.5 ** np.arange(1, 11))
    assert [options.name(i) for i in range(5)] == [(), (1,), (2,), (3,), (4,)]
    assert len(options.ranks) == 5
    assert_allclose(options.n_weights, [100, 20, 40, 60, 80])


def test_the_smallest_rank_within_a_share_is_chosen():
    options = options_of(0.5 ** np.arange(1, 11))
    assert choose_share(options, 0.3) == (2,)
    assert choose_share(options, 0.01) == ()


def test_a_rank_is_chosen_if_it_pays():
    options = options_of(0.5 ** np.arange(1, 11))
    assert choose_exactly(options, [4]) == (4,)
    assert choose_exactly(options, [5]) == ()


LAYERS = [
    options_of(0.3 ** np.arange(1, 11)),
    options_of(0.8 ** np.arange(1, 11)),
    options_of(0.1 * 0.7 ** np.arange(1, 11), side=20),
]


def all_choices():
    for chosen in product(*(range(len(part.ranks)) for part in LAYERS)):
        pairs = list(zip(LAYERS, chosen, strict=True))
        yield (
            np.mean([part.lost[i] for part, i in pairs]),
            sum(part.n_weights[i] for part, i in pairs),
        )


def totals(ranks):
    places = [rank[0] if rank else 0 for rank in ranks]
    pairs = list(zip(LAYERS, places, strict=True))
    lost = np.mean([part.lost[i] for part, i in pairs])
    return lost, sum(part.n_weights[i] for part, i in pairs)


@pytest.mark.parametrize("limit", [0.0, 0.003, 0.02, 0.1, 0.5])
def test_no_other_ranks_are_smaller_and_lose_less(limit):
    lost, n_weights = totals(spend_loss(LAYERS, limit))
    assert lost <= limit
    assert not any(other[0] < lost and other[1] < n_weights for other in all_choices())


@pytest.mark.parametrize("limit", [600, 400, 250, 100])
def test_no_other_ranks_of_that_many_weights_lose_less(limit):
    lost, n_weights = totals(spend_weights(LAYERS, limit))
    assert n_weights <= limit
    assert not any(other[0] < lost and other[1] < n_weights for other in all_choices())


def test_the_smallest_ranks_are_the_last_resort():
    assert spend_weights(LAYERS, 0) == [(1,)] * 3
