"""Known values and exact laws of the metrics."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sksparse_nn.inspection import dead_atoms, explained_variance, mean_l0


@pytest.fixture(scope="module")
def rows():
    return 5 + np.random.default_rng(0).standard_normal((9000, 4)) * [1, 2, 3, 0]


def test_predicting_the_mean_scores_exactly_zero(rows):
    assert explained_variance(rows, np.tile(rows.mean(axis=0), (9000, 1))) == 0


def test_a_perfect_reconstruction_scores_exactly_one(rows):
    assert explained_variance(rows, rows) == 1
    assert explained_variance(rows.astype(np.float32), rows.astype(np.float32)) == 1


def test_it_equals_the_definition(rows):
    guess = rows + np.random.default_rng(1).standard_normal(rows.shape)
    lost = ((rows - guess) ** 2).sum() / ((rows - rows.mean(axis=0)) ** 2).sum()
    assert explained_variance(rows, guess) == pytest.approx(1 - lost, rel=1e-12)


def test_what_is_worse_than_the_mean_is_below_zero(rows):
    assert explained_variance(rows, np.zeros_like(rows)) < 0


def test_a_large_offset_of_single_precision_costs_nothing():
    X = np.random.default_rng(0).standard_normal((5000, 3)).astype(np.float32) + 1000
    mean = np.tile(X.mean(axis=0, dtype=np.float64), (len(X), 1))
    assert explained_variance(X, mean) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("X", [np.full((7, 3), 0.1), np.zeros((5, 2)), [[1.0, 2.0]]])
def test_rows_that_are_all_equal_have_none(X):
    with pytest.warns(UserWarning, match="NaN: all the rows of X are equal"):
        assert np.isnan(explained_variance(X, X))


def test_other_shapes_are_refused(rows):
    with pytest.raises(ValueError, match=r"X_hat must have the shape .* Got \(9000, 3"):
        explained_variance(rows, rows[:, :3])


def test_stored_zeros_are_no_atoms_in_use():
    codes = sparse.csr_matrix(
        (np.array([1.0, 0.0, 2.0]), np.array([0, 1, 0]), np.array([0, 2, 3])), (2, 3)
    )
    for given in (codes, codes.toarray(), codes.tocsc()):
        assert mean_l0(given) == 1
        assert_array_equal(dead_atoms(given), [1, 2])
