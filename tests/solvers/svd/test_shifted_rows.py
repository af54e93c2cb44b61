"""Products by parts equal those with the matrix they stand for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sksparse_nn import TruncatedSVDReducer
from sksparse_nn.solvers.svd._shifted_rows import ShiftedRows


@pytest.fixture(params=["dense", "sparse"])
def kind(request):
    return sparse.csr_array if request.param == "sparse" else np.asarray


@pytest.fixture(params=[False, True], ids=["raw", "centred"])
def center(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def weight(request):
    return np.linspace(0.5, 2, 20) if request.param else None


@pytest.fixture(name="A_and_naive")
def both_forms(kind, center, weight):
    X = np.random.default_rng(0).standard_normal((20, 7)) + 2
    w = np.ones(20) if weight is None else weight
    naive = X - np.average(X, axis=0, weights=w) * center
    return ShiftedRows(kind(X), weight, center, None), np.sqrt(w)[:, None] * naive


def test_energy_is_the_squared_norm(A_and_naive):
    A, naive = A_and_naive
    assert_allclose(A.unit**2 * A.energy, (naive**2).sum())


def test_features_are_multiplied(A_and_naive):
    A, naive = A_and_naive
    B = np.random.default_rng(1).standard_normal((7, 3))
    product, projected = A.times_features(B)
    assert_allclose(A.unit**2 * product, naive.T @ (naive @ B))
    assert_allclose(A.unit**2 * projected, (naive @ B).T @ (naive @ B))


def test_samples_are_multiplied(A_and_naive):
    A, naive = A_and_naive
    B = np.random.default_rng(1).standard_normal((20, 3))
    assert_allclose(A.unit**2 * A.times_samples(B), naive @ (naive.T @ B))
    assert_allclose(A.unit * A.samples_to_features(B), naive.T @ B)


@pytest.mark.parametrize("scale", [0, 1e-38, 1e38])
def test_the_unit_is_a_number_at_any_scale(scale):
    X = np.full((3, 2), scale, np.float32)
    A = ShiftedRows(X, None, False, None)
    assert_allclose(A.unit**2 * A.energy, 6 * scale**2, rtol=1e-5)


@pytest.mark.parametrize("shape", [(200, 40), (40, 200)])
@pytest.mark.parametrize("has_holes", [False, True])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_offsets_of_sparse_columns_do_not_drown_the_spread(
    shape, has_holes, is_weighted
):
    rng = np.random.default_rng(0)
    X = sparse.random_array(shape, density=0.2, rng=rng).toarray()
    X[:, :3] = 1e4 + rng.standard_normal((len(X), 3))
    X[: 4 * has_holes, 1] = 0
    w = rng.uniform(0.5, 2, len(X)) if is_weighted else np.ones(len(X))
    A = ShiftedRows(
        sparse.csr_array(X.astype(np.float32)), w if is_weighted else None, True, None
    )
    X = X.astype(np.float32).astype(np.float64)
    naive = np.sqrt(w)[:, None] * (X - np.average(X, axis=0, weights=w))
    B = rng.standard_normal((shape[1], 4))
    B[1] *= not has_holes  # whose energy would hide all others
    product, expected = A.gram_times(B), naive.T @ (naive @ B)
    rows = np.arange(shape[1]) != 1
    assert_allclose(A.mean, np.average(X, axis=0, weights=w), rtol=1e-6)
    assert_allclose(
        A.unit**2 * product[rows], expected[rows], atol=1e-4 * abs(expected[rows]).max()
    )


def test_an_offset_of_sparse_data_costs_krylov_no_digits():
    rng = np.random.default_rng(0)
    X = sparse.random_array((300, 120), density=0.1, rng=rng, dtype=np.float32).tocsr()
    years = sparse.csr_array(1e5 + rng.standard_normal((300, 1)), dtype=np.float32)
    X = sparse.hstack([X, years]).tocsr()
    reducer = TruncatedSVDReducer(
        4, center=True, solver="krylov", tol=1e-4, max_passes=60, random_state=0
    ).fit(X)
    dense = X.toarray().astype(np.float64)
    expected = np.linalg.svd(dense - dense.mean(axis=0), compute_uv=False)[:4]
    assert_allclose(reducer.singular_values_, expected, rtol=1e-4)
    assert_allclose(reducer.mean_, dense.mean(axis=0), rtol=1e-6)
