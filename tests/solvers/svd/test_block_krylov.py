"""Eigenpairs from a block Krylov space."""

import numpy as np
from numpy.testing import assert_allclose

from sksparse_nn.solvers.svd._block_krylov import find_leading_eigenpairs


def pairs_of(matrix, *, k=3, b=6, tol=1e-8, max_passes=50):
    start = np.random.default_rng(0).standard_normal((len(matrix), b))

    def is_close(values, residuals):
        return residuals <= tol * values

    return find_leading_eigenpairs(matrix.__matmul__, start, k, is_close, max_passes)


def test_pairs_are_those_of_lapack():
    A = np.random.default_rng(1).standard_normal((40, 60))
    found = pairs_of(A @ A.T)
    assert found.is_good
    assert_allclose(found.values[:3], np.linalg.eigvalsh(A @ A.T)[::-1][:3])


def test_a_reachable_space_of_low_rank_is_exhausted():
    u = np.arange(1.0, 21)
    found = pairs_of(np.outer(u, u), tol=0)
    assert found.is_good
    assert_allclose(found.values[0], u @ u)
    assert found.n_passes <= 3


def test_small_eigenvalues_are_found_beside_a_huge_one():
    A = np.diag([1e9, 3, 2.5, *np.linspace(0.1, 1, 37)])
    found = pairs_of(A)
    assert found.is_good
    assert_allclose(found.values[:3], [1e9, 3, 2.5])


def test_zero_has_no_directions():
    found = pairs_of(np.zeros((8, 8)))
    assert_allclose(found.values, 0)


def test_passes_are_limited():
    found = pairs_of(np.diag(np.arange(1.0, 101)), tol=1e-15, max_passes=2)
    assert not found.is_good
    assert found.n_passes == 2
