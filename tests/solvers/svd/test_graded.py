"""Eigenpairs of products of features of very different lengths."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.solvers.svd._graded import find_graded


def rotate_columns(A):
    """Make columns orthogonal, a pair at a time, and return their falling lengths."""
    A = A.astype(np.longdouble)
    for _ in range(12):
        for i in range(A.shape[1]):
            for j in range(i):
                one, other = A[:, j] @ A[:, j], A[:, i] @ A[:, i]
                angle = np.arctan2(2 * A[:, j] @ A[:, i], one - other) / 2
                turn = np.cos(angle), np.sin(angle)
                first = turn[0] * A[:, j] + turn[1] * A[:, i]
                A[:, i] = turn[0] * A[:, i] - turn[1] * A[:, j]
                A[:, j] = first
    return np.sort(np.sqrt((A**2).sum(axis=0)))[::-1].astype(float)


def products(decades):
    lengths = 10.0 ** -np.linspace(0, decades, 10)
    A = np.random.default_rng(0).standard_normal((40, 10)) * lengths
    return A, A.T @ A


@pytest.mark.parametrize("decades", [0, 3, 6, 9])
def test_values_lose_digits_by_their_ratio_and_not_by_its_square(decades):
    A, matrix = products(decades)
    values, vectors = find_graded(matrix)
    assert_allclose(np.sqrt(values), rotate_columns(A), rtol=1e-14 * 10**decades)
    assert_allclose(vectors.T @ vectors, np.eye(10), atol=1e-13)
    assert_allclose((vectors * values) @ vectors.T, matrix, atol=1e-13 * matrix.max())


@pytest.mark.parametrize("spoil", [np.zeros_like, np.ones_like])
def test_nothing_is_found_where_a_feature_follows_from_others(spoil):
    A, _ = products(3)
    A[:, 4] = A[:, 5] * spoil(1.0)
    assert len(find_graded(A.T @ A)[0]) == 0
