"""Samples that are held out: how many, which, and never copies of the others."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn._holdout import hold_out
from sksparse_nn._picked_rows import pick


def split(X, strata=None, weight=None, *, fraction=0.2, seed=0):
    return hold_out(
        X,
        np.ones(X.shape[0]) if weight is None else weight,
        strata,
        fraction=fraction,
        random_state=np.random.RandomState(seed),
    )


@pytest.fixture
def rows():
    return np.random.default_rng(0).standard_normal((1000, 3)).astype(np.float32)


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9])
def test_the_part_held_out_has_the_size_asked_for(rows, fraction):
    train, valid = split(rows, fraction=fraction)
    assert len(valid) == 1000 * fraction
    assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(1000))


@pytest.mark.parametrize("fraction", [1e-6, 1 - 1e-6])
def test_neither_part_is_empty(rows, fraction):
    assert min(map(len, split(rows, fraction=fraction))) == 1


def test_both_parts_hold_every_class_in_proportion(rows):
    strata = (np.arange(1000) % 10 == 0).astype(int)
    _, valid = split(rows, strata)
    assert strata[valid].sum() == 20
    assert len(valid) == 200


def test_copies_of_a_row_stay_on_one_side(rows):
    X = np.tile(rows[:50], (20, 1))
    train, valid = split(X)
    assert not {tuple(row) for row in X[train]} & {tuple(row) for row in X[valid]}


def test_the_order_of_rows_does_not_matter(rows):
    order = np.random.default_rng(1).permutation(1000)
    _, valid = split(rows)
    _, valid_of_shuffled = split(rows[order])
    assert_array_equal(np.sort(order[valid_of_shuffled]), valid)


@pytest.mark.parametrize(
    "convert", [sparse.csr_array, np.asfortranarray, np.float64, lambda X: X * 1.0]
)
def test_the_form_of_rows_does_not_matter(rows, convert):
    X = np.where(rows > 0, rows, np.float32(-0.0))
    assert_array_equal(split(convert(X))[1], split(X)[1])


def test_weights_count_as_repeated_rows(rows):
    weight = np.random.default_rng(0).integers(1, 5, 1000)
    _, valid = split(rows, weight=weight.astype(float))
    _, repeated = split(rows.repeat(weight, axis=0))
    assert_array_equal(np.unique(np.arange(1000).repeat(weight)[repeated]), valid)


def test_seeds_draw_different_parts(rows):
    assert not np.array_equal(split(rows)[1], split(rows, seed=1)[1])


def test_the_part_is_drawn_without_regard_to_the_values():
    X = np.arange(1000.0).reshape(-1, 1)
    means = [X[split(X, seed=seed)[1]].mean() for seed in range(20)]
    assert_allclose(np.mean(means), 499.5, atol=25)


@pytest.mark.parametrize("X", [np.ones((1, 3)), np.ones((5, 3))])
def test_rows_that_cannot_be_split_are_refused(X):
    with pytest.raises(ValueError, match="two different rows"):
        split(X)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
def test_picked_rows_are_split_as_the_rows(rows, convert):
    chosen = np.arange(0, 1000, 3)
    expected = split(rows[chosen])[1]
    assert_array_equal(split(pick(convert(rows), chosen))[1], expected)
