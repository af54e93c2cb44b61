"""Groups of features, however they are named."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.solvers.svd import partition_features


def test_no_groups_are_one():
    assert_array_equal(partition_features(None, 4).labels, [0, 0, 0, 0])


def test_the_last_of_equal_groups_may_be_smaller():
    assert_array_equal(partition_features(2, 5).widths, [2, 2, 1])


def test_a_group_may_be_wider_than_the_data():
    assert_array_equal(partition_features(9, 5).widths, [5])


def test_labels_are_numbered_as_they_first_appear():
    partition = partition_features(["red", "blue", "red", "alpha"], 4)
    assert_array_equal(partition.labels, [0, 1, 0, 2])


@pytest.mark.parametrize("groups", [[0, 1], [[0, 1, 2]], ["a"] * 4])
def test_labels_that_are_not_one_a_feature_are_refused(groups):
    with pytest.raises(ValueError, match=r"the 3 features of X\. Got shape"):
        partition_features(groups, 3)


def test_arranged_features_are_restored():
    partition = partition_features([1, 0, 1, 2, 0], 5)
    X = np.arange(10.0).reshape(2, 5)
    assert_array_equal(partition.restore(partition.arrange(X)), X)


def test_runs_hold_neighbours_of_one_width():
    runs = partition_features([0, 0, 1, 1, 2, 3, 3], 7).runs
    assert [(r.start, r.n_groups, r.width) for r in runs] == [
        (0, 2, 2),
        (4, 1, 1),
        (5, 1, 2),
    ]


@pytest.mark.parametrize("groups", [None, 3, [0, 1, 0, 0, 2, 1, 2, 2]])
def test_products_are_those_of_each_group(groups):
    partition = partition_features(groups, 8)
    X = np.random.default_rng(0).standard_normal((6, 8))
    Y = np.ascontiguousarray(partition.arrange(X))
    blocks = [b for run in partition.blocks(partition.grams(Y)) for b in run]
    for group, block in enumerate(blocks):
        columns = X[:, partition.labels == group]
        assert_allclose(block, columns.T @ columns)
