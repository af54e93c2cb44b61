"""Soft thresholds of patches and their gradients in one sweep, against NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.kernels.patch_sweep import (
    differentiate_soft_thresholds,
    sum_soft_thresholds,
)
from sksparse_nn.kernels.patches import gather_patches, scale_patches

SIDE, PATCH, ALPHA, N_REGIONS = 12, 3, 0.3, 3
POSITIONS = SIDE - PATCH + 1
RUNS = SIDE * np.arange(PATCH)
CORNERS = (SIDE * np.arange(POSITIONS)[:, None] + np.arange(POSITIONS)).ravel()


def problem(n_images, n_atoms, dtype):
    rng = np.random.default_rng(0)
    images = rng.standard_normal((n_images, SIDE**2)).astype(dtype)
    images[1:2] = 7  # a constant one
    # Some regions in runs, some patch by patch.
    regions = rng.integers(N_REGIONS, size=len(CORNERS))
    regions[20:50] = 1
    atoms = rng.standard_normal((n_atoms, PATCH**2)).astype(dtype)
    return images, regions, atoms, rng.standard_normal(n_atoms).astype(dtype)


def swept(images, regions, atoms, offsets, contrast=0.1):
    alpha = images.dtype.type(ALPHA)
    sums = np.zeros((len(images), N_REGIONS * 2 * len(atoms)), images.dtype)
    sum_soft_thresholds(
        images, RUNS, CORNERS, regions, atoms, offsets, contrast, alpha, sums
    )
    return sums


def normalised(images, contrast):
    n_patches = len(images) * len(CORNERS)
    centred = np.empty((n_patches, PATCH**2), images.dtype)
    variances, scales = np.empty(n_patches), np.empty(n_patches)
    gather_patches(images, RUNS, CORNERS, centred, variances)
    scale_patches(variances, contrast, scales)
    return centred * scales[:, None]


def summed(images, regions, atoms, offsets, contrast=0.1):
    patches = normalised(images, contrast)
    values = patches @ atoms.T.astype(np.float64) - offsets
    both = np.maximum([values - ALPHA, -values - ALPHA], 0)
    both = both.transpose(1, 0, 2).reshape(len(images), len(CORNERS), -1)
    one_hot = np.eye(N_REGIONS)[regions]
    return np.einsum("pr,ipk->irk", one_hot, both).reshape(len(images), -1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_images", [1, 2, 6, 11])
@pytest.mark.parametrize("n_atoms", [1, 19, 512, 513, 1100])
def test_soft_thresholds_are_summed_as_numpy_does(n_images, n_atoms, dtype):
    given = problem(n_images, n_atoms, dtype)
    found, expected = swept(*given), summed(*given)
    atol = 50 * np.finfo(dtype).eps * expected.max(initial=1)
    assert_allclose(found, expected, rtol=0, atol=atol)


def test_sums_are_added_to_what_is_there():
    images, regions, atoms, offsets = problem(3, 5, np.float64)
    sums = np.ones((3, N_REGIONS * 2 * 5))
    sum_soft_thresholds(
        images, RUNS, CORNERS, regions, atoms, offsets, 0.1, ALPHA, sums
    )
    assert_allclose(sums, 1 + swept(images, regions, atoms, offsets))


def test_patches_of_a_region_are_added_one_by_one_or_two_at_once():
    """Regions in runs and regions in turn sum the same patches in the same order."""
    images, _, atoms, offsets = problem(1, 7, np.float32)
    in_turn = np.arange(len(CORNERS)) % N_REGIONS
    order = np.argsort(in_turn, kind="stable")
    expected = swept(images, in_turn, atoms, offsets)
    sums = np.zeros_like(expected)
    sum_soft_thresholds(
        images,
        RUNS,
        CORNERS[order],
        in_turn[order],
        atoms,
        offsets,
        0.1,
        np.float32(ALPHA),
        sums,
    )
    assert_array_equal(sums, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_image_without_added_contrast_leaves_the_offsets(dtype):
    images, regions, atoms, offsets = problem(2, 7, dtype)
    found = swept(images, regions, atoms, offsets, contrast=0.0)[1]
    expected = summed(images, regions, atoms, offsets, contrast=0.0)[1]
    assert np.isfinite(found).all()
    assert_allclose(found, expected, rtol=1e-4)


def pulled_back(images, regions, atoms, offsets, gradients):
    """Return gradients by atoms, offsets and the level of each atom."""
    patches = normalised(images, 0.1)
    values = patches @ atoms.T.astype(np.float64) - offsets
    by_region = gradients.reshape(len(images), N_REGIONS, 2, len(atoms))
    rising, falling = by_region[:, regions].transpose(2, 0, 1, 3).astype(np.float64)
    rising = rising.reshape(values.shape) * (values > ALPHA)
    falling = falling.reshape(values.shape) * (values < -ALPHA)
    both = rising - falling
    return both.T @ patches, -both.sum(axis=0), -(rising + falling).sum(axis=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_images", [1, 6, 11])
@pytest.mark.parametrize("n_atoms", [1, 19, 512, 513, 1100])
def test_gradients_are_those_of_numpy(n_images, n_atoms, dtype):
    images, regions, atoms, offsets = given = problem(n_images, n_atoms, dtype)
    sums = swept(*given)
    gradients = np.random.default_rng(1).standard_normal(sums.shape).astype(dtype)
    found = np.ones_like(atoms), np.ones(n_atoms), np.ones(n_atoms)
    differentiate_soft_thresholds(
        images,
        RUNS,
        CORNERS,
        regions,
        atoms,
        offsets,
        0.1,
        dtype(ALPHA),
        gradients,
        *found,
    )
    for one, expected in zip(found, pulled_back(*given, gradients), strict=True):
        atol = 200 * np.finfo(dtype).eps * abs(expected).max(initial=1)
        assert_allclose(one - 1, expected, rtol=0, atol=atol)
