"""The temperature gives the mean number of nonzeros that is wanted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.solvers.simplex import MAPPINGS, Keys, encode, make_coding
from sksparse_nn.solvers.simplex._sample import draw_sample
from sksparse_nn.solvers.simplex._temperature import find_temperature


@pytest.fixture(params=MAPPINGS)
def mapping(request):
    return MAPPINGS[request.param]()


def reached(mapping, K, X, n_active, weights=None):
    weights = np.ones(len(X)) if weights is None else weights
    sample = draw_sample(X, weights, len(X), np.random.RandomState(0))
    temperature = find_temperature(mapping, Keys.of(K), sample, n_active)
    counts = np.diff(encode(make_coding(mapping, temperature), K, X).indptr)
    return np.average(counts, weights=weights), temperature


def problem(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((500, 4)), rng.standard_normal((12, 4))


@pytest.mark.parametrize("n_active", [1, 1.5, 2, 3, 7.25, 11.9, 12])
def test_the_mean_is_at_most_a_row_below_the_wanted_one(mapping, n_active):
    X, K = problem()
    mean, _ = reached(mapping, K, X, n_active)
    assert n_active - 1 / len(X) < mean + 1e-9
    assert mean <= n_active


def test_the_mean_heeds_weights(mapping):
    X, K = problem()
    weights = np.random.default_rng(1).integers(1, 20, len(X)).astype(float)
    mean, _ = reached(mapping, K, X, 3, weights)
    assert_allclose(mean, 3, atol=20 / weights.sum())


def test_scaled_data_have_a_temperature_scaled_by_the_square(mapping):
    X, K = problem()
    for scale in (1e-9, 3.0, 1e12):
        _, temperature = reached(mapping, K * scale, X * scale, 3)
        assert_allclose(temperature, scale**2 * reached(mapping, K, X, 3)[1])


def test_keys_that_are_equally_near_join_together(mapping):
    K = np.vstack([np.eye(4), 9 * np.eye(4)])
    assert reached(mapping, K, np.zeros((6, 4)), 3)[0] == 4
    assert reached(mapping, K, np.zeros((6, 4)), 5)[0] == 4
    assert reached(mapping, K, np.zeros((6, 4)), 8)[0] == 8


def test_an_entry_joins_above_its_temperature(mapping):
    depths = np.array([[0.0, 0.3, 0.3, 0.8, 2.0]])
    K = np.sqrt(2 * depths.T)  # half the squared distances from zero are the depths
    joining = mapping.joining_temperatures(depths)[0]
    assert joining[0] == 0
    for at in joining[1:]:
        for temperature in (at * (1 - 1e-6), at * (1 + 1e-6)):
            codes = encode(make_coding(mapping, temperature), K, np.zeros((1, 1)))
            assert codes.nnz == np.sum(joining < temperature)
