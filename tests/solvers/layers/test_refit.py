"""Changes of weights by least squares, against a solution of all rows at once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.solvers.layers import fit_change

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
    penalty = ridge * np.average((inputs - means) ** 2, weights=weight, axis=0).mean()
    of_bias = roots if has_bias else 0 * roots
    bottom = np.sqrt(penalty * weight.sum()) * np.eye(n_inputs, n_inputs + 1)
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
    found = fit_change(in_blocks(inputs, missing, weight), ridge, has_bias=has_bias)
    weight = np.ones(n_rows) if weight is None else weight
    wanted = solve_at_once(inputs, missing, weight, ridge, has_bias)
    # A ridge of 1e-6 has a condition of about 1e7.
    assert_allclose(found[0], wanted[0], rtol=1e-6, atol=1e-7)
    assert_allclose(found[1], wanted[1], rtol=1e-6, atol=1e-7)


@with_or_without_bias
def test_outputs_that_lack_nothing_change_nothing(has_bias):
    inputs, missing, weight = rows()
    blocks = in_blocks(inputs, 0 * missing, weight)
    change, bias = fit_change(blocks, 1e-3, has_bias=has_bias)
    assert_array_equal(change, np.zeros((N_OUTPUTS, N_INPUTS)))
    assert_array_equal(bias, np.zeros(N_OUTPUTS))


@with_or_without_bias
@pytest.mark.parametrize("ridge", [1e-9, 1e-3, 1e3])
@pytest.mark.parametrize("n_rows", [N_ROWS, 4])
def test_missing_squares_never_grow(has_bias, ridge, n_rows):
    inputs, missing, weight = rows(n_rows)
    blocks = in_blocks(inputs, missing, weight)
    change, bias = fit_change(blocks, ridge, has_bias=has_bias)
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
    found = fit_change(weighted, 1e-3, has_bias=has_bias)
    wanted = fit_change(repeated, 1e-3, has_bias=has_bias)
    assert_allclose(found[0], wanted[0], rtol=1e-9, atol=1e-12)
    assert_allclose(found[1], wanted[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.3])
def test_inputs_that_never_vary_change_the_bias_alone(constant):
    _, missing, _ = rows()
    inputs = np.full((N_ROWS, N_INPUTS), constant)
    change, bias = fit_change(in_blocks(inputs, missing), 1e-3)
    assert_array_equal(change, 0 * change)
    assert_allclose(bias, missing.mean(axis=0))


def test_large_means_cancel_no_digits():
    inputs, missing, _ = rows()
    wanted = fit_change(in_blocks(inputs, missing), 1e-3)[0]
    found = fit_change(in_blocks(inputs + 2.0**30, missing), 1e-3)[0]
    # Inputs have lost 30 of 52 bits.
    assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_the_unit_of_the_inputs_changes_the_unit_of_the_weights_alone():
    inputs, missing, _ = rows()
    wanted = fit_change(in_blocks(inputs, missing), 1e-2)[0]
    found = fit_change(in_blocks(1e-8 * inputs, missing), 1e-2)[0]
    assert_allclose(1e-8 * found, wanted, rtol=1e-9)
