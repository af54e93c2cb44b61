"""One cell that is larger than all others hides nothing from codes of distances."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import SparseAttentionCoder
from tests.decomposition.attention_coders import ATTENTION_CODERS
from tests.estimators import name_of

ONE_STEP = [coder for coder in ATTENTION_CODERS if not coder.iterate]
CELLS = [
    (np.float32, 1e6),
    (np.float32, 1e12),
    (np.float64, 1e8),
    (np.float64, 1e12),
]


def rows_with_a_large_cell(dtype, cell):
    X = np.random.default_rng(0).standard_normal((60, 10))
    X[7, 3] = cell
    return X.astype(dtype)


def half_squares(X, keys):
    X, keys = X.astype(np.float64), keys.astype(np.float64)
    return ((X[:, None] - keys) ** 2).sum(axis=2) / 2


def mapped(mapping, scores):
    """Map one row of scores onto the simplex, by bisection of the level."""
    low, high = scores.max() - 2, scores.max()
    for _ in range(100):
        level = (low + high) / 2
        above = np.maximum(scores - level, 0)
        code = above if mapping == "sparsemax" else (above / 2) ** 2
        low, high = (level, high) if code.sum() > 1 else (low, level)
    return code


@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(("dtype", "cell"), CELLS)
@pytest.mark.parametrize("coder", ONE_STEP, ids=name_of)
def test_codes_are_those_of_exact_distances(coder, dtype, cell, wrapped):
    X = rows_with_a_large_cell(dtype, cell)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coder = clone(coder).set_params(random_state=0).fit(wrapped(X))
    codes = coder.transform(wrapped(X))
    codes = codes.toarray() if sparse.issparse(codes) else codes
    assert len(coder.keys_) == 6
    halves = half_squares(X, coder.keys_) / coder.temperature_
    expected = [mapped(coder.mapping, -row) for row in halves]
    assert_allclose(codes, expected, atol=2e-3 if dtype == np.float32 else 1e-6)


@pytest.mark.parametrize("keys", ["kmeans", "medoids"])
@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(("dtype", "cell"), CELLS)
def test_clusters_are_as_balanced_as_those_of_the_other_rows(
    dtype, cell, wrapped, keys
):
    X = rows_with_a_large_cell(dtype, cell)
    coder = SparseAttentionCoder(6, keys=keys, n_active=1, random_state=0)
    coder.fit(wrapped(X))
    owners = np.bincount(half_squares(X, coder.keys_).argmin(axis=1), minlength=6)
    assert owners.min() >= 1
    assert owners.max() <= 30
    found = half_squares(X, coder.keys_).min(axis=1).mean()
    assert_allclose(coder.history_["objective"][-1], found, rtol=1e-2)


@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_matrix])
def test_medoids_are_the_nearest_rows_to_the_mean_of_their_cluster(wrapped):
    X = rows_with_a_large_cell(np.float32, 1e6)
    coder = SparseAttentionCoder(6, keys="medoids", random_state=0).fit(wrapped(X))
    owners = half_squares(X, coder.keys_).argmin(axis=1)
    for key, medoid in enumerate(coder.medoid_indices_):
        members = np.flatnonzero(owners == key)
        costs = half_squares(X[members], X[members]).sum(axis=0)
        assert costs[members == medoid] <= costs.min() * (1 + 1e-2)


def test_two_groups_that_are_far_apart_are_both_told_apart():
    X = np.random.default_rng(0).standard_normal((80, 6)).astype(np.float32)
    X[::2, 0] += 1e7
    coder = SparseAttentionCoder(8, random_state=0, n_active=1).fit(X)
    owners = half_squares(X, coder.keys_).argmin(axis=1)
    assert_array_equal(coder.transform(X).toarray().argmax(axis=1), owners)
    assert min(len(set(owners[::2])), len(set(owners[1::2]))) >= 2
