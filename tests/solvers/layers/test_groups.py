"""Groups of inputs that go one after the other, against least squares anew."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.solvers.layers import (
    LayerSums,
    Reader,
    choose_groups,
    score_groups,
    score_inputs,
)

RIDGE = 1e-3


def reader(groups, n_outputs=3, has_bias=True, seed=0):
    """Return a layer that reads groups, and its rows."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((len(groups), len(groups)))
    rows = rng.standard_normal((80, len(groups))) @ mixed + 2
    weight = rng.standard_normal((n_outputs, len(groups)))
    sums = LayerSums(has_bias=has_bias)
    for start in (0, 30):
        block = rows[start : start + 30] if start == 0 else rows[start:]
        sums.add(block, block[:, :0])
    return Reader(sums, weight, np.array(groups)), rows - has_bias * rows.mean(axis=0)


def lost_share(found, rows, gone):
    """Return the share of the outputs that is lost, and the penalty on the change."""
    weight, units = found.weight.T, np.sqrt((rows**2).sum(axis=0))
    is_gone = np.isin(found.groups, gone)
    missing = rows[:, is_gone] @ weight[is_gone]
    penalty = np.sqrt(RIDGE) * np.diag(units)
    # What is removed changes by its weight, and pays for that too.
    top = np.vstack([missing, -penalty[:, is_gone] @ weight[is_gone]])
    left = np.vstack([rows, penalty])[:, ~is_gone]
    change = np.linalg.lstsq(left, top)[0]
    energy = ((rows @ weight) ** 2).sum()
    return ((top - left @ change) ** 2).sum() / energy


READERS = {
    "one layer": [[0, 0, 1, 1, 2, 2, 3, 3]],
    "sizes differ": [[0, 1, 1, 1, 2, 2, -1, -1, 3]],
    "two layers": [[0, 0, 1, 1, 2, 2, 3, 3], [3, 1, 0, 2, -1]],
    "not all": [[0, 0, 1, 1, -1], [2, 3, 1]],
}


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("name", READERS)
def test_scores_are_those_of_least_squares_anew(name, has_bias):
    pairs = [
        reader(groups, has_bias=has_bias, seed=i)
        for i, groups in enumerate(READERS[name])
    ]
    scores = score_groups([[found] for found, _ in pairs], 4, RIDGE)

    def loss(gone):
        return sum(lost_share(found, rows, gone) for found, rows in pairs)

    gone = []
    while len(gone) < 4:
        losses = {g: loss([*gone, g]) for g in range(4) if g not in gone}
        gone.append(min(losses, key=losses.get))
        assert scores[gone[-1]] == pytest.approx(losses[gone[-1]], rel=1e-6)
    assert_array_equal(np.argsort(scores), gone)


def test_groups_of_one_are_inputs():
    found, rows = reader(range(6))
    weighted = [(rows, None)]
    wanted = score_inputs(weighted, found.weight, RIDGE)
    scores = score_groups([[found]], 6, RIDGE)
    assert_allclose(scores[np.isfinite(wanted)], wanted[np.isfinite(wanted)])
    assert scores.argmax() == wanted.argmax()


def test_parts_of_a_layer_share_its_outputs():
    one, _ = reader([0, 0, 1], seed=1)
    other, _ = reader([1, 2, 2], seed=2)
    apart = [score_groups([[part]], 3, RIDGE) for part in (one, other)]
    energies = [
        np.sum(part.sums.centred()[1] @ part.weight.T * part.weight.T)
        for part in (one, other)
    ]
    joint = score_groups([[one, other]], 3, RIDGE)
    wanted = np.average([scores.max() for scores in apart], weights=energies, axis=0)
    assert joint.max() == pytest.approx(wanted)


def test_a_layer_of_zeros_costs_nothing():
    found, _ = reader([0, 0, 1, 1])
    nothing = Reader(found.sums, 0 * found.weight, found.groups)
    assert_array_equal(score_groups([[nothing]], 2, RIDGE), np.zeros(2))


def test_as_many_channels_go_as_wanted():
    scores = np.array([0.5, 0.1, 0.3, 0.2])
    layers = [np.array([0, 1, 2, 3, -1])]
    for n_removed in range(4):
        keeps = choose_groups(scores, layers, n_removed)
        assert_array_equal(np.flatnonzero(~keeps), np.sort([1, 3, 2, 0][:n_removed]))


def test_every_layer_keeps_a_channel():
    layers = [np.array([0, 1]), np.array([2, 3, 0])]
    keeps = choose_groups(np.array([0.4, 0.3, 0.2, 0.1]), layers, 100)
    assert_array_equal(keeps, [True, False, False, False])


def test_channels_of_all_layers_count():
    layers = [np.array([0, 1, 2]), np.array([0, 1, 2])]
    scores = np.array([0.3, 0.2, 0.1])
    for n_removed, n_gone in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)]:
        keeps = choose_groups(scores, layers, n_removed)
        assert (~keeps).sum() == n_gone
