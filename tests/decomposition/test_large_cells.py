"""One cell that is larger than all others hides nothing from codes of distances."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import SparseAttentionCoder
from sksparse_nn.kernels.anchored import project_shares
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


def codes_of(coder, X):
    codes = coder.transform(X)
    return codes.toarray() if sparse.issparse(codes) else codes


def gaps(X, keys, codes):
    """Return what each row's best corner gains, over its least squared distance."""
    found = []
    X, keys, codes = (part.astype(np.longdouble) for part in (X, keys, codes))
    for x, code in zip(X, codes, strict=True):
        far = keys - x
        slope = far @ (code @ far + (code.sum() - 1) * x)
        found.append((code @ slope - slope.min()) / (far**2).sum(axis=1).min())
    return np.array(found, float)


@pytest.mark.parametrize("keys", ["kmeans", "medoids"])
@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("cell", [pytest.param(1e8, marks=pytest.mark.slow), 1e12])
def test_steps_end_at_the_optimum_of_every_other_row(cell, wrapped, keys):
    X = rows_with_a_large_cell(np.float64, cell)
    coder = SparseAttentionCoder(6, iterate=True, keys=keys, random_state=0)
    codes = codes_of(coder.fit(wrapped(X)), wrapped(X))
    is_key = (X[:, None] == coder.keys_).all(axis=2).any(axis=1)
    others = ~is_key & (np.arange(60) != 7)
    assert others.sum() >= 50
    assert gaps(X[others], coder.keys_, codes[others]).max() < 1e-5
    assert_allclose(codes.sum(axis=1), 1, rtol=1e-12)
    assert (codes >= 0).all()


@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(
    ("dtype", "cell", "tolerance"),
    [(np.float32, 1e6, 2e-3), (np.float64, 1e8, 2e-3), (np.float64, 1e12, 2e-3)],
)
def test_steps_give_other_rows_the_codes_that_they_have_without_the_cell(
    dtype, cell, tolerance, wrapped
):
    # Nothing else is in the column of the cell, so that its key helps no other row.
    X = np.random.default_rng(0).standard_normal((60, 10))
    X[:, 3] = 0
    X = X.astype(dtype)
    large = X.copy()
    large[7, 3] = cell
    coder = SparseAttentionCoder(6, iterate=True, keys="medoids", random_state=0)
    coder.fit(wrapped(large))
    far = np.flatnonzero(coder.keys_[:, 3])
    near = np.flatnonzero(coder.keys_[:, 3] == 0)
    codes = codes_of(coder, wrapped(large))
    others = np.arange(60) != 7
    assert len(far) == 1
    assert (codes[others][:, far] <= 1e-6).all()
    coder.keys_ = coder.keys_[near]
    expected = codes_of(coder, wrapped(X))
    assert_allclose(codes[others][:, near], expected[others], atol=tolerance)


@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("iterate", [False, True])
@pytest.mark.parametrize(
    ("dtype", "cell"), [(np.float32, 1e5), (np.float32, 1e7), (np.float64, 1e12)]
)
def test_learnt_keys_do_not_depend_on_the_size_of_a_cell(dtype, cell, iterate, wrapped):
    X = np.random.default_rng(0).standard_normal((60, 10))
    X[:, 3] = 0  # so that the cell is of no use to others
    coder = SparseAttentionCoder(6, keys="learned", iterate=iterate, random_state=0)
    fits = []
    for value, kind in ((1e8, np.float64), (cell, dtype)):
        X[7, 3] = value
        fits.append(clone(coder).fit(wrapped(X.astype(kind))))
    first, second = (fit.history_["objective"] for fit in fits)
    n_passes = min(len(first), len(second), 10)
    assert n_passes > 4
    rtol = 1e-3 if dtype == np.float32 else 1e-6
    assert_allclose(first[:n_passes], second[:n_passes], rtol=rtol)


@pytest.mark.parametrize(("dtype", "cell"), CELLS)
def test_the_error_of_archetypes_is_that_of_their_codes(dtype, cell):
    X = rows_with_a_large_cell(dtype, cell)
    coder = SparseAttentionCoder(
        6, keys="learned", iterate=True, max_epochs=1, random_state=0
    ).fit(X)
    codes = codes_of(coder, X).astype(np.longdouble)
    left = X - codes @ coder.keys_.astype(np.longdouble)
    # The last pass is ahead of the last move.
    start = SparseAttentionCoder(
        6, keys="learned", iterate=True, max_epochs=2, random_state=0
    ).fit(X)
    found = start.history_["objective"]
    assert_allclose(found[1], (left**2).sum() / 2 / len(X), rtol=1e-3)
    assert found[1] < found[0]


def naive_projection(point, sizes):
    """Lower the level until shares add up to one at most, by bisection."""
    low, high = 0.0, max((point * sizes).max(), 0.0)
    if (np.maximum(point, 0) / sizes).sum() <= 1:
        return np.maximum(point, 0)
    for _ in range(200):
        level = (low + high) / 2
        total = (np.maximum(point - level / sizes, 0) / sizes).sum()
        low, high = (level, high) if total > 1 else (low, level)
    return np.maximum(point - high / sizes, 0)


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_projected_as_by_bisection(seed):
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.integers(-2, 6, 7)
    point = rng.standard_normal(7) * sizes * 10.0 ** rng.integers(-1, 2)
    expected = naive_projection(point, sizes)
    project_shares(point, sizes)
    assert_allclose(point / sizes, expected / sizes, atol=1e-9)


def test_keys_that_come_twice_are_taken_once():
    X = rows_with_a_large_cell(np.float64, 1e8)
    keys = np.concatenate([X[[7, 1, 2, 3]], X[[1]]])
    coder = SparseAttentionCoder(5, iterate=True, random_state=0).fit(X)
    coder.keys_ = keys
    codes = codes_of(coder, X)
    assert_allclose(codes.sum(axis=1), 1, rtol=1e-12)
    assert_allclose(codes[[2, 3]][:, [2, 3]], np.eye(2), atol=1e-12)
