"""How many components each rule keeps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.solvers.svd import Factors, rank_rule
from sksparse_nn.solvers.svd._rank import noise_threshold


def factors(values, *, is_complete=True, rest=0.0, weight=100.0):
    values = np.asarray(values, float)
    return Factors(
        components=np.eye(10)[: len(values)],
        singular_values=values,
        residuals=np.zeros(len(values)),
        mean=np.zeros(10),
        energy=float((values**2).sum() + rest),
        noise=0.0,
        weight=weight,
        is_complete=is_complete,
    )


def test_a_number_is_clipped_to_what_a_group_holds():
    assert rank_rule(2).counts([factors([3, 2, 1]), factors([1])]) == [2, 1]


def test_a_share_ranks_all_groups_together():
    groups = [factors([10, 1]), factors([9, 8])]
    assert rank_rule(0.99).counts(groups) == [1, 2]


def test_a_share_that_is_not_reached_asks_for_more():
    assert rank_rule(0.9).counts([factors([1], is_complete=False, rest=9)]) is None


def test_a_share_asks_for_more_where_an_open_group_may_hold_larger_values():
    groups = [factors([10, 9], is_complete=False, rest=1), factors([5, 1])]
    assert rank_rule(0.95).counts(groups) is None


def test_a_share_beyond_the_noise_takes_all_there_is():
    assert rank_rule(0.9).counts([factors([1, 1], rest=9)]) == [2]


def test_no_energy_needs_no_component():
    assert rank_rule(0.9).counts([factors([])]) == [0]


def test_auto_keeps_everything_where_there_is_no_noise():
    assert rank_rule("auto").counts([factors([3, 2, 1])]) == [3]


def test_auto_keeps_nothing_of_a_flat_spectrum():
    assert rank_rule("auto").counts([factors(np.ones(10))]) == [0]


@pytest.mark.parametrize(
    ("ratio", "threshold"), [(1.0, 2.8582), (0.5, 2.1711), (0.05, 1.5194)]
)
def test_the_threshold_is_the_published_one(ratio, threshold):
    assert_allclose(noise_threshold(ratio), threshold, rtol=1e-3)
