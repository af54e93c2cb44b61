"""Changes of weights by least squares, against a solution of all rows at once."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.solvers.layers import (
    LayerSums,
    choose_inputs,
    contribution_units,
    even_units,
    find_change,
    find_change_of,
    score_inputs,
)

N_ROWS, N_INPUTS, N_OUTPUTS = 90, 7, 3

with_or_without_bias = pytest.mark.parametrize("has_bias", [True, False])
weighted_or_not = pytest.mark.parametrize("is_weighted", [True, False])


def rows(n_rows=N_ROWS, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((n_rows, N_INPUTS)) + 3
    missing = rng.standard_normal((n_rows, N_OUTPUTS)) + inputs[:, :N_OUTPUTS]
    return inputs, missing, rng.uniform(0.5, 2, n_rows)


def in_blocks(inputs, missing, weight=None, size=25):
    for start in range(0, len(inputs), size):
        block = slice(start, start + size)
        yield inputs[block], missing[block], None if weight is None else weight[block]


def solve_at_once(inputs, missing, weight, ridge, has_bias):
    """Solve one system of all rows, and a row of the penalty per input."""
    n_inputs, roots = inputs.shape[1], np.sqrt(weight)[:, None]
    means = np.average(inputs, axis=0, weights=weight) * has_bias
    penalties = ridge * (weight @ (inputs - means) ** 2)
    of_bias = roots if has_bias else 0 * roots
    bottom = np.sqrt(penalties)[:, None] * np.eye(n_inputs, n_inputs + 1)
    left = np.vstack([np.hstack([roots * inputs, of_bias]), bottom])
    right = np.vstack([roots * missing, np.zeros((n_inputs, missing.shape[1]))])
    found = np.linalg.lstsq(left, right)[0]
    return found[:-1].T, found[-1]


@with_or_without_bias
@weighted_or_not
@pytest.mark.parametrize("ridge", [1e-6, 1e-3, 10.0])
@pytest.mark.parametrize("n_rows", [N_ROWS, 4])
def test_the_change_is_that_of_one_system_of_all_rows(
    has_bias, is_weighted, ridge, n_rows
):
    inputs, missing, weight = rows(n_rows)
    weight = weight if is_weighted else None
    found = find_change(in_blocks(inputs, missing, weight), ridge, has_bias=has_bias)
    weight = np.ones(n_rows) if weight is None else weight
    wanted = solve_at_once(inputs, missing, weight, ridge, has_bias)
    # A ridge of 1e-6 has a condition of about 1e7.
    assert_allclose(found[0], wanted[0], rtol=1e-6, atol=1e-7)
    assert_allclose(found[1], wanted[1], rtol=1e-6, atol=1e-7)


@with_or_without_bias
@weighted_or_not
def test_weights_that_may_not_change_count_as_inputs_that_are_not_there(
    has_bias, is_weighted
):
    inputs, missing, weight = rows()
    weight = weight if is_weighted else np.ones(N_ROWS)
    kept = np.random.default_rng(1).random((N_OUTPUTS, N_INPUTS)) < 0.5
    kept[0] = False
    sums = LayerSums(has_bias=has_bias)
    sums.add(inputs, missing, weight)
    change, bias = find_change_of(sums, 1e-3, kept=kept)
    assert_array_equal(change[~kept], 0)
    for i, mask in enumerate(kept):
        wanted = solve_at_once(inputs[:, mask], missing[:, [i]], weight, 1e-3, has_bias)
        assert_allclose(change[i, mask], wanted[0][0], rtol=1e-8, atol=1e-9)
        assert_allclose(bias[i], wanted[1][0], rtol=1e-8, atol=1e-9)


@with_or_without_bias
def test_outputs_that_lack_nothing_change_nothing(has_bias):
    inputs, missing, weight = rows()
    blocks = in_blocks(inputs, 0 * missing, weight)
    change, bias = find_change(blocks, 1e-3, has_bias=has_bias)
    assert_array_equal(change, np.zeros((N_OUTPUTS, N_INPUTS)))
    assert_array_equal(bias, np.zeros(N_OUTPUTS))


@with_or_without_bias
@pytest.mark.parametrize("ridge", [1e-9, 1e-3, 1e3])
@pytest.mark.parametrize("n_rows", [N_ROWS, 4])
def test_missing_squares_never_grow(has_bias, ridge, n_rows):
    inputs, missing, weight = rows(n_rows)
    blocks = in_blocks(inputs, missing, weight)
    change, bias = find_change(blocks, ridge, has_bias=has_bias)
    left = missing - inputs @ change.T - bias
    means = np.average(missing, axis=0, weights=weight) * has_bias
    before, after = weight @ (missing - means) ** 2, weight @ left**2
    assert np.all(after <= before * (1 + 1e-9))


@with_or_without_bias
def test_weights_equal_repetitions(has_bias):
    inputs, missing, _ = rows()
    n_times = np.arange(N_ROWS) % 3 + 1
    repeated = in_blocks(np.repeat(inputs, n_times, 0), np.repeat(missing, n_times, 0))
    weighted = in_blocks(inputs, missing, n_times)
    found = find_change(weighted, 1e-3, has_bias=has_bias)
    wanted = find_change(repeated, 1e-3, has_bias=has_bias)
    assert_allclose(found[0], wanted[0], rtol=1e-9, atol=1e-12)
    assert_allclose(found[1], wanted[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.3])
def test_inputs_that_never_vary_change_the_bias_alone(constant):
    _, missing, _ = rows()
    inputs = np.full((N_ROWS, N_INPUTS), constant)
    change, bias = find_change(in_blocks(inputs, missing), 1e-3)
    assert_array_equal(change, 0 * change)
    assert_allclose(bias, missing.mean(axis=0))


def test_large_means_cancel_no_digits():
    inputs, missing, _ = rows()
    wanted = find_change(in_blocks(inputs, missing), 1e-3)[0]
    found = find_change(in_blocks(inputs + 2.0**30, missing), 1e-3)[0]
    # Inputs have lost 30 of 52 bits.
    assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


UNITS = [np.full(N_INPUTS, 1e-8), np.array([1, 1e3, 1, 0.1, 1, 100, 1])]


@pytest.mark.parametrize("units", UNITS)
def test_the_unit_of_an_input_changes_the_unit_of_its_weights_alone(units):
    inputs, missing, _ = rows()
    wanted = find_change(in_blocks(inputs, missing), 1e-2)[0]
    found = find_change(in_blocks(units * inputs, missing), 1e-2)[0]
    assert_allclose(units * found, wanted, rtol=1e-6)


@pytest.mark.parametrize("scale", UNITS)
def test_neither_does_it_beside_contributions(scale):
    inputs, missing, _ = rows()
    inputs[:, 2] *= 1e-3
    weight = np.random.default_rng(1).standard_normal((N_OUTPUTS, N_INPUTS))

    def change(scale):
        units = partial(contribution_units, weight=weight / scale)
        return find_change(in_blocks(scale * inputs, missing), 1e-2, units=units)[0]

    assert_allclose(scale * change(scale), change(np.ones(N_INPUTS)), rtol=1e-6)


@pytest.mark.parametrize("find", [contribution_units, even_units])
def test_inputs_that_hardly_vary_get_no_large_weights(find):
    inputs, missing, _ = rows()
    inputs[:, 2] = 1e-3 * missing[:, 0] + 5
    weight = np.random.default_rng(1).standard_normal((N_OUTPUTS, N_INPUTS))
    large = find_change(in_blocks(inputs, missing), 1e-3)[0]
    units = partial(find, weight=weight)
    change = find_change(in_blocks(inputs, missing), 1e-3, units=units)[0]
    assert np.abs(large[0, 2]) > 500
    assert np.abs(change).max() < 5


def test_contributions_are_compared_with_the_average_one():
    G, weight = np.diag([4.0, 1.0, 9.0, 1.0]), np.array([[2.0, 0.1, 0.0, 1.0]])
    contributions = np.array([4, 0.1, 0, 1])
    average = np.sqrt(np.mean(contributions**2))
    wanted = [2, average / 0.1, np.inf, average]
    assert_allclose(contribution_units(G, weight), wanted)
    assert_allclose(contribution_units(G, 0 * weight), [2, 1, 3, 1])


def test_inputs_without_weights_stay_without():
    inputs, missing, _ = rows()
    weight = np.random.default_rng(1).standard_normal((N_OUTPUTS, N_INPUTS))
    weight[:, [1, 4]] = 0
    units = partial(contribution_units, weight=weight)
    change = find_change(in_blocks(inputs, missing), 1e-3, units=units)[0]
    assert_array_equal(change[:, [1, 4]], 0)
    assert np.all(np.delete(change, [1, 4], axis=1) != 0)


@pytest.mark.parametrize("units", UNITS)
def test_the_unit_of_an_input_does_not_change_its_score(units):
    inputs, _, _ = rows()
    weight = np.random.default_rng(1).standard_normal((N_OUTPUTS, N_INPUTS))
    wanted = score_inputs([(inputs, None)], weight, 1e-3)
    found = score_inputs([(units * inputs, None)], weight / units, 1e-3)
    assert_allclose(found, wanted, rtol=1e-6)


def test_inputs_that_never_vary_go_first():
    inputs, _, _ = rows()
    inputs[:, [2, 5]] = 0.7
    weight = np.full((N_OUTPUTS, N_INPUTS), 1e6)
    weight[:, [0, 1]] = 1e-3
    scores = score_inputs([(inputs, None)], weight, 1e-3)
    assert_array_equal(scores[[2, 5]], 0)
    assert np.all(np.delete(scores, [2, 5]) > 0)


def lose_one_after_the_other(inputs, weight, sample_weight, ridge, has_bias):
    """Solve the weights of each smaller layer by itself, and keep the best."""
    means = np.average(inputs, axis=0, weights=sample_weight) * has_bias
    rows = np.sqrt(sample_weight)[:, None] * (inputs - means)
    energy = np.sum((rows @ weight.T) ** 2)
    penalties = ridge * np.sum(rows**2, axis=0)
    rows = np.vstack([rows, np.diag(np.sqrt(penalties))])
    wanted, left = rows @ weight.T, list(range(len(inputs.T)))
    scores = np.full(len(inputs.T), np.inf)
    while len(left) > 1:
        lost = {}
        for j in left:
            others = rows[:, [i for i in left if i != j]]
            found = others @ np.linalg.lstsq(others, wanted)[0]
            lost[j] = np.sum((wanted - found) ** 2) / energy
        least = min(lost, key=lost.get)
        scores[least] = lost[least]
        left.remove(least)
    return scores


@with_or_without_bias
@weighted_or_not
@pytest.mark.parametrize("n_rows", [N_ROWS, 4])
def test_scores_are_the_losses_of_the_smaller_layers(has_bias, is_weighted, n_rows):
    inputs, _, sample_weight = rows(n_rows)
    sample_weight = sample_weight if is_weighted else None
    weight = np.random.default_rng(1).standard_normal((N_OUTPUTS, N_INPUTS))
    blocks = [(rows, w) for rows, _, w in in_blocks(inputs, inputs, sample_weight)]
    found = score_inputs(blocks, weight, 1e-3, has_bias=has_bias)
    if sample_weight is None:
        sample_weight = np.ones(n_rows)
    wanted = lose_one_after_the_other(inputs, weight, sample_weight, 1e-3, has_bias)
    assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def test_one_of_two_equal_inputs_costs_next_to_nothing():
    inputs, _, _ = rows()
    inputs[:, 4] = 2 * inputs[:, 1]
    scores = score_inputs([(inputs, None)], np.ones((1, N_INPUTS)), 1e-6)
    assert 0 <= min(scores[[1, 4]]) < 1e-5
    assert max(scores[[1, 4]]) > 1e-2


@pytest.mark.parametrize("weight", [0.0, 1.0])
@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_layers_without_any_outputs_have_no_losses(weight, scale):
    inputs, _, _ = rows()
    matrix = np.full((N_OUTPUTS, N_INPUTS), weight, np.float32)
    scores = score_inputs([(scale * inputs, None)], matrix, 1e-3)
    assert np.isinf(scores).sum() == 1
    if not weight * scale:
        assert_array_equal(np.sort(scores)[:-1], 0)


def test_an_input_per_layer_is_kept():
    scores = [np.array([0.0, np.inf, 0.1]), np.array([np.inf, 0.5]), np.array([np.inf])]
    kept = choose_inputs(scores, 0.5)
    assert [list(rows) for rows in kept] == [[1], [0], [0]]
    assert list(map(len, choose_inputs(scores, 1.0))) == [1, 1, 1]
    assert list(map(len, choose_inputs(scores, 0.2))) == [2, 2, 1]
