"""Patches gathered and pooled, against the same in NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.kernels.patches import gather_patches, pool_soft_thresholds

SIDE, PATCH = 9, 4
POSITIONS = SIDE - PATCH + 1
RUNS = SIDE * np.arange(PATCH)
CORNERS = (SIDE * np.arange(POSITIONS)[:, None] + np.arange(POSITIONS)).ravel()


def gathered(images):
    n_patches = len(images) * len(CORNERS)
    centred = np.empty((n_patches, PATCH**2), images.dtype)
    variances = np.empty(n_patches)
    gather_patches(images, RUNS, CORNERS, centred, variances)
    return centred, variances


def unfolded(images):
    """Cut patches out in float64, and take their means off."""
    images = images.astype(np.float64).reshape(-1, SIDE, SIDE)
    windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), (1, 2))
    patches = windows.reshape(-1, PATCH**2)
    return patches - patches.mean(axis=1, keepdims=True), patches.var(axis=1, ddof=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e5, -1e5])
@pytest.mark.parametrize("outlier", [0.0, 1e4])
def test_patches_are_gathered_as_numpy_does(dtype, offset, outlier):
    rng = np.random.default_rng(0)
    images = rng.integers(-100, 100, (3, SIDE**2)) / 64 + offset
    images[:, ::7] += outlier  # often the value that others are taken about
    images = images.astype(dtype)
    (centred, variances), (expected, spread) = gathered(images), unfolded(images)
    eps = np.finfo(dtype).eps
    assert_allclose(centred, expected, atol=20 * eps * np.abs(expected).max())
    assert_allclose(variances, spread, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_patches_of_one_value_are_exactly_zero(dtype):
    centred, variances = gathered(np.full((1, SIDE**2), 0.1, dtype))
    assert not centred.any()
    assert not variances.any()


@pytest.mark.parametrize("regions", [[0, 0, 0, 1, 1], [0, 1, 0, 1, 0], [1], []])
def test_soft_thresholds_are_pooled_one_by_one(regions):
    rng = np.random.default_rng(0)
    n_patches, n_atoms, alpha = len(regions), 19, np.float32(0.3)
    raw = rng.standard_normal((n_patches, n_atoms)).astype(np.float32)
    scales = rng.random(n_patches).astype(np.float32)
    offsets = rng.standard_normal(n_atoms).astype(np.float32)
    places = 2 * n_atoms * np.array(regions, np.int64)
    sums = np.zeros(4 * n_atoms, np.float32)
    pool_soft_thresholds(raw, scales, offsets, alpha, places, sums)
    again = np.zeros_like(sums)
    for i in range(n_patches):
        one = slice(i, i + 1)
        pool_soft_thresholds(raw[one], scales[one], offsets, alpha, places[one], again)
    assert_array_equal(sums, again)
    values = raw.astype(np.float64) * scales[:, None] - offsets
    expected = np.zeros((2, 2, n_atoms))
    for region, value in zip(regions, values, strict=True):
        expected[region] += np.maximum([value - alpha, -value - alpha], 0)
    assert_allclose(sums, expected.ravel(), atol=1e-5)
