"""Statistics of rows: they add up, in any type and order."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn.solvers.svd import WeightedRows, partition_features
from sksparse_nn.solvers.svd._moments import read_moments


def naive_scatter(X, partition, weight):
    """Return the products of deviations of each group, one group after the other."""
    X = X.astype(np.float64)
    deviations = X - np.average(X, axis=0, weights=weight)
    blocks = []
    for group in range(len(partition.widths)):
        D = deviations[:, partition.labels == group]
        blocks.append((D.T @ (weight[:, None] * D)).ravel())
    return np.concatenate(blocks)


@pytest.fixture(name="X")
def shifted_noise():
    rng = np.random.default_rng(0)
    return (rng.standard_normal((300, 12)) + 3).astype(np.float32)


@pytest.mark.parametrize("groups", [None, 5, [0, 1, 1, 2] * 3])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_moments_are_those_of_the_naive_formula(X, groups, is_sparse):
    weight = np.linspace(0.5, 3, len(X))
    partition = partition_features(groups, X.shape[1])
    data = sparse.csr_array(X) if is_sparse else X
    found = read_moments(WeightedRows(data, weight, partition))
    expected = naive_scatter(X, partition, weight)
    assert_allclose(found.scatter, expected, rtol=1e-5, atol=1e-4)
    mean = np.average(X.astype(np.float64), axis=0, weights=weight)
    assert_allclose(partition.restore(found.mean), mean, rtol=1e-6)
    assert_allclose(found.weight, weight.sum())


@pytest.mark.parametrize("cut", [1, 150, 299])
def test_merged_moments_are_those_of_all_rows(X, cut):
    X = X.astype(np.float64)
    X[:cut] += 100
    partition = partition_features(4, X.shape[1])
    all_rows, one, other = (
        read_moments(WeightedRows(rows, None, partition))
        for rows in (X, X[:cut], X[cut:])
    )
    merged = one.merge(other)
    assert_allclose(merged.scatter, all_rows.scatter, rtol=1e-10, atol=1e-8)
    assert_allclose(merged.mean, all_rows.mean, rtol=1e-12)
    assert merged.weight == len(X)


def test_merging_leaves_both_as_they_were(X):
    partition = partition_features(None, X.shape[1])
    one, other = (read_moments(WeightedRows(x, None, partition)) for x in (X, 2 * X))
    before = one.scatter.copy(), other.scatter.copy()
    one.merge(other)
    assert_array_equal(one.scatter, before[0])
    assert_array_equal(other.scatter, before[1])


def test_a_drift_over_many_blocks_is_pooled_exactly(monkeypatch):
    monkeypatch.setattr("sksparse_nn.solvers.svd._blocks._CACHED", 24)
    X = np.random.default_rng(0).standard_normal((1500, 4))
    X += 1e4 * np.arange(1500)[:, None]
    partition = partition_features(None, 4)
    found = read_moments(WeightedRows(X, None, partition))
    expected = naive_scatter(X, partition, np.ones(1500))
    assert_allclose(found.scatter, expected, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_beyond_float32_are_not_lost(X, scale):
    X[:, :6] *= np.float32(scale)
    partition = partition_features(6, X.shape[1])
    found = read_moments(WeightedRows(X, None, partition))
    expected = naive_scatter(X, partition, np.ones(len(X)))
    assert_allclose(found.scatter, expected, rtol=1e-4, atol=1e-3 * expected[:36].max())
    assert_allclose(found.scatter[36:], expected[36:], rtol=1e-5, atol=1e-4)


def test_an_offset_in_float32_costs_no_digits(X):
    X += 1e4
    partition = partition_features(None, X.shape[1])
    found = read_moments(WeightedRows(X, None, partition))
    expected = naive_scatter(X, partition, np.ones(len(X)))
    assert_allclose(found.scatter, expected, rtol=1e-5, atol=1e-3)


@pytest.fixture(name="T")
def thin_rows():
    rng = np.random.default_rng(0)
    T = sparse.random_array((400, 60), density=0.03, rng=rng, dtype=np.float32)
    T = T.tolil()
    T[:, 7] = rng.standard_normal(400) + 1
    T[0] = rng.standard_normal(60)
    return T.tocsr()


GROUPS = [None, 1, 7, [0, 1, 1, 2, 0] * 12]


@pytest.mark.parametrize("groups", GROUPS)
def test_moments_of_thin_rows_are_those_of_the_naive_formula(T, groups):
    weight = np.linspace(0.5, 3, T.shape[0])
    partition = partition_features(groups, T.shape[1])
    found = read_moments(WeightedRows(T, weight, partition))
    expected = naive_scatter(T.toarray(), partition, weight)
    assert_allclose(found.scatter, expected, rtol=1e-12, atol=1e-11)
    mean = np.average(T.toarray().astype(float), axis=0, weights=weight)
    assert_allclose(partition.restore(found.mean), mean, rtol=1e-12)


@pytest.mark.parametrize("groups", GROUPS)
def test_thin_rows_are_never_made_dense(T, groups, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("made dense")

    monkeypatch.setattr(type(T), "toarray", refuse)
    read_moments(WeightedRows(T, None, partition_features(groups, T.shape[1])))


@pytest.mark.parametrize("groups", GROUPS)
def test_fuller_rows_are_unpacked_in_panels_no_larger_than_they_are(
    groups, monkeypatch
):
    monkeypatch.setattr("sksparse_nn.solvers.svd._blocks._PANEL", 500)
    rng = np.random.default_rng(0)
    T = sparse.random_array((400, 60), density=0.2, rng=rng, dtype=np.float32).tocsr()
    unpacked, whole = [], type(T).toarray

    def note(rows, *args, **kwargs):
        unpacked.append(whole(rows, *args, **kwargs))
        return unpacked[-1]

    monkeypatch.setattr(type(T), "toarray", note)
    partition = partition_features(groups, T.shape[1])
    found = read_moments(WeightedRows(T, None, partition))
    assert max(X.nbytes for X in unpacked) <= T.data.nbytes + T.indices.nbytes
    assert sum(len(X) for X in unpacked) == T.shape[0]
    expected = naive_scatter(whole(T), partition, np.ones(T.shape[0]))
    assert_allclose(found.scatter, expected, rtol=1e-5, atol=1e-4)


def test_neither_blocks_nor_threads_change_what_thin_rows_sum_to(T, monkeypatch):
    rows = WeightedRows(T, None, partition_features(7, T.shape[1]))
    one, two = read_moments(rows, 1), read_moments(rows, 2)
    assert_array_equal(one.scatter, two.scatter)
    monkeypatch.setattr("sksparse_nn.solvers.svd._sparse_grams._VALUES", 50)
    assert_allclose(read_moments(rows).scatter, one.scatter, rtol=1e-12, atol=1e-12)


def test_an_offset_of_a_full_column_of_thin_rows_costs_no_digits(T):
    T = T.astype(np.float64)
    T.data[T.indices == 7] += 1e9
    partition = partition_features(None, T.shape[1])
    found = read_moments(WeightedRows(T, None, partition))
    expected = naive_scatter(T.toarray(), partition, np.ones(T.shape[0]))
    assert_allclose(found.scatter, expected, rtol=1e-6, atol=1e-4)
    assert found.rounding < 1e-14


def test_an_offset_of_a_column_that_is_nearly_full_costs_no_digits(T):
    T = T[:-1].astype(np.float64)
    T.data[T.indices == 7] += 1e9
    T.resize(len(T.indptr), T.shape[1])
    found = read_moments(WeightedRows(T, None, partition_features(None, T.shape[1])))
    assert found.rounding < 1e-14
