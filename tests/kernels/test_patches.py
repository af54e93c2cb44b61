"""Patches gathered and pooled, against the same in NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.kernels.patches import gather_patches, scale_patches

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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("contrast", [0.0, 0.5])
def test_scales_even_out_the_contrast(dtype, contrast):
    variances = np.array([4.0, 0.25, 1e-30])
    scales = np.empty(3, dtype)
    scale_patches(variances, contrast, scales)
    assert_allclose(scales, (variances + contrast) ** -0.5, rtol=np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("variance", [0.0, 5e-324])
def test_what_has_no_contrast_that_the_type_can_tell_is_scaled_to_zero(dtype, variance):
    scales = np.ones(1, dtype)
    scale_patches(np.array([variance]), 0.0, scales)
    assert scales[0] == 0 or np.isfinite(scales[0] * dtype(4))
    assert variance or scales[0] == 0
