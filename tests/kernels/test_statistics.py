"""Sums over codes and rows against products of dense matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sksparse_nn.kernels.sparse_dense import (
    add_gram_times_dense,
    csr_times_dense,
)
from sksparse_nn.solvers._rows import read_rows, root_mean_square
from sksparse_nn.solvers.coding import OMP
from sksparse_nn.solvers.dictionary import Statistics, measure_usage


@pytest.fixture(params=["dense", "csr"])
def block(request):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((25, 6)) * (rng.random((25, 6)) < 0.7)
    X[3] = 0
    D = rng.standard_normal((10, 6))
    coder = OMP(3)
    atoms = coder.prepare(D)
    rows = read_rows(X if request.param == "dense" else sparse.csr_array(X), slice(25))
    codes = coder.encode(atoms, rows)
    dense = np.zeros((25, 10))
    for i, count in enumerate(codes.counts):
        dense[i, codes.indices[i, :count]] = codes.values[i, :count]
    return X, atoms, rows, codes, dense


def test_statistics_are_products_of_matrices(block):
    X, _, rows, codes, C = block
    w = np.random.default_rng(1).uniform(0, 2, 25)
    statistics = Statistics.empty(10, 6)
    statistics.add(rows, codes, w, measure_usage(codes, w, 10))
    assert_allclose(statistics.A, (w[:, None] * C).T @ C, atol=1e-12)
    assert_allclose(statistics.B, (w[:, None] * C).T @ X, atol=1e-12)
    assert_allclose(statistics.usage, w @ (C != 0), atol=1e-12)
    assert_allclose(measure_usage(codes, w, 10), w @ (C != 0), atol=1e-12)


def test_statistics_of_parts_add_up_to_those_of_the_whole(block):
    _, _, rows, codes, _ = block
    whole, twice = Statistics.empty(10, 6), Statistics.empty(10, 6)
    weights = np.full(25, 2.0)
    whole.add(rows, codes, weights, measure_usage(codes, weights, 10))
    for _ in range(2):
        twice.add(rows, codes, np.ones(25), measure_usage(codes, np.ones(25), 10))
    assert_allclose(twice.A, whole.A)
    assert_allclose(twice.B, whole.B)


def test_errors_are_what_the_codes_leave(block):
    X, atoms, rows, codes, C = block
    expected = ((X - C @ atoms.unit) ** 2).sum(axis=1)
    assert_allclose(rows.errors(codes, atoms), expected, atol=1e-12)


def test_picked_rows_are_the_unit_rows(block):
    X, _, rows, _, _ = block
    norms = np.linalg.norm(X, axis=1)
    unit = X / np.where(norms > 0, norms, 1)[:, None]
    assert_allclose(rows.pick(np.array([4, 2, 3])), unit[[4, 2, 3]])


def test_root_mean_square_is_weighted():
    X, w = np.random.default_rng(0).standard_normal((700, 3)), np.arange(700.0)
    expected = w @ (X**2).sum(axis=1) / w.sum()
    assert_allclose(root_mean_square(X, w) ** 2, expected)
    assert_allclose(root_mean_square(sparse.csr_array(X), w) ** 2, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_csr_times_dense_is_the_product(dtype):
    A = sparse.random_array((30, 20), density=0.2, rng=0, dtype=dtype, format="csr")
    B = np.random.default_rng(0).standard_normal((20, 7)).astype(dtype)
    out = np.full((30, 7), np.nan, dtype)
    index = np.int32
    csr_times_dense(A.indptr.astype(index), A.indices.astype(index), A.data, B, out)
    assert_allclose(out, A.toarray() @ B, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_of_the_columns_of_some_rows_are_added(dtype):
    rng = np.random.default_rng(0)
    A = sparse.random_array((9, 7), density=0.4, rng=rng, format="csr", dtype=dtype)
    B = rng.standard_normal((7, 3)).astype(dtype)
    out, row = np.ones((7, 3), dtype), np.empty((1, 3), dtype)
    indptr, indices = A.indptr.astype(np.int64), A.indices.astype(np.int32)
    add_gram_times_dense(indptr[3:8], indices, A.data, B, row, out)
    some = A.toarray()[3:7]
    assert_allclose(out, 1 + some.T @ (some @ B), atol=1e-6)
