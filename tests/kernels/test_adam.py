"""Adam's steps by the gradient of sparse rows, against the formula."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn.kernels.adam import adam_steps, by_column


def columns_of(A):
    starts = np.empty(A.shape[1] + 1, np.int64)
    rows, values = np.empty(A.nnz, np.int32), np.empty_like(A.data)
    by_column(A.indptr.astype(np.int64), A.indices, A.data, starts, rows, values)
    return starts, rows, values


def some_rows():
    return sparse.random_array((20, 9), density=0.2, format="csr", rng=0)


def test_values_are_sorted_by_column():
    A = some_rows()
    starts, rows, values = columns_of(A)
    expected = A.tocsc()
    assert_array_equal(starts, expected.indptr)
    assert_array_equal(rows, expected.indices)
    assert_array_equal(values, expected.data)


def test_a_step_is_the_formula():
    rng = np.random.default_rng(0)
    A = some_rows()
    W, M, V = rng.random((3, 9, 4))
    G = rng.standard_normal((20, 4))
    rates = 0.9, 0.1, 0.99, 0.01, 0.05, 1.5, 1e-3, 0.98, 0.2
    first, more, second, further, step, root, eps, factor, share = rates
    gradient = A.T @ G + share * W
    mean = first * M + more * gradient
    square = second * V + further * gradient**2
    weights = factor * W - step * mean / (np.sqrt(square) * root + eps)
    for features in ((0, 4), (4, 9)):
        adam_steps(columns_of(A), G, W, M, V, rates, features)
    assert_allclose(M, mean)
    assert_allclose(V, square)
    assert_allclose(W, weights)
