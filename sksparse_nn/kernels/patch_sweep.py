"""Sums of soft thresholds of patches of images, and their gradients, in one sweep."""

import numpy as np

from sksparse_nn.kernels._jit import kernel, step
from sksparse_nn.kernels.patches import gather_patch, scale_patches

# Patches and atoms per block of products, so that it and its factors stay in cache.
_PATCHES, _ATOMS = 512, 512


@kernel
def sum_soft_thresholds(
    images, runs, corners, regions, atoms, offsets, contrast, alpha, sums
):
    """Soft-threshold the products of patches and atoms, and sum them by region.

    Neither patches nor products leave the cache.

    Parameters
    ----------
    images, runs, corners
        As in `patches.gather_patches`.

    regions : int64 array of shape (n_positions,)
        The region of each patch of an image.

    atoms : array of shape (n_atoms, patch_width)
        Folded atoms: they multiply centred patches.

    offsets : array of shape (n_atoms,)
        Subtracted from the scaled products of a patch.

    contrast : float
        As in `patches.scale_patches`.

    alpha : float, of the type of `images`
        The level.

    sums : array of shape (n_images, n_regions * 2 * n_atoms)
        Sums are added; for each region first of positive values, then of negative ones.
    """
    n_atoms, n_patches = atoms.shape[0], images.shape[0] * corners.shape[0]
    n_rows, n_columns = _part(n_patches, _PATCHES), _part(n_atoms, _ATOMS)
    centred = np.empty((n_rows, atoms.shape[1]), images.dtype)
    variances, scales = np.empty(n_rows), np.empty(n_rows, images.dtype)
    places = np.empty(n_rows, np.int64)
    products = np.empty(n_rows * n_columns, images.dtype)
    flat = sums.reshape(-1)
    for start in range(0, n_patches, n_rows):
        m = min(n_rows, n_patches - start)
        _gather(images, runs, corners, start, centred[:m], variances)
        _find_places(regions, start, sums.shape[1], 2 * n_atoms, places[:m])
        scale_patches(variances[:m], contrast, scales[:m])
        for first in range(0, n_atoms, n_columns):
            some = slice(first, min(first + n_columns, n_atoms))
            raw = products[: m * (some.stop - first)].reshape(m, some.stop - first)
            np.dot(centred[:m], atoms[some].T, raw)
            _add_rests(raw, scales, offsets[some], alpha, places, first, n_atoms, flat)


@kernel
def differentiate_soft_thresholds(
    images,
    runs,
    corners,
    regions,
    atoms,
    offsets,
    contrast,
    alpha,
    gradients,
    of_atoms,
    of_offsets,
    of_levels,
):
    """Pull gradients by sums of soft thresholds back to what the thresholds read.

    Products are computed anew, so that nothing need be kept.

    Parameters
    ----------
    images, runs, corners, regions, atoms, offsets, contrast, alpha
        As in `sum_soft_thresholds`.

    gradients : array of shape (n_images, n_regions * 2 * n_atoms)
        Of some number, by the sums.

    of_atoms : array of shape (n_atoms, patch_width)
        Gradients by the folded atoms are added.

    of_offsets : array of shape (n_atoms,)
        Gradients by the offsets are added.

    of_levels : array of shape (n_atoms,)
        Gradients by the level of each atom are added.
    """
    n_atoms, n_patches = atoms.shape[0], images.shape[0] * corners.shape[0]
    n_rows, n_columns = _part(n_patches, _PATCHES), _part(n_atoms, _ATOMS)
    centred = np.empty((n_rows, atoms.shape[1]), images.dtype)
    variances, scales = np.empty(n_rows), np.empty(n_rows, images.dtype)
    places = np.empty(n_rows, np.int64)
    products = np.empty(n_rows * n_columns, images.dtype)
    found = np.empty((n_columns, atoms.shape[1]), images.dtype)
    flat = gradients.reshape(-1)
    for start in range(0, n_patches, n_rows):
        m = min(n_rows, n_patches - start)
        _gather(images, runs, corners, start, centred[:m], variances)
        _find_places(regions, start, gradients.shape[1], 2 * n_atoms, places[:m])
        scale_patches(variances[:m], contrast, scales[:m])
        for first in range(0, n_atoms, n_columns):
            some = slice(first, min(first + n_columns, n_atoms))
            raw = products[: m * (some.stop - first)].reshape(m, some.stop - first)
            np.dot(centred[:m], atoms[some].T, raw)
            summed = of_offsets[some], of_levels[some]
            for i in range(m):
                up = places[i] + first
                both = flat[up : up + raw.shape[1]], flat[up + n_atoms :]
                _pull_back(raw[i], scales[i], offsets[some], alpha, both, summed)
            np.dot(raw.T, centred[:m], found[: raw.shape[1]])
            of_atoms[some] += found[: raw.shape[1]]


@step
def _gather(images, runs, corners, start, centred, variances):
    """Copy consecutive patches of all images, from one on."""
    for row in range(centred.shape[0]):
        i, p = divmod(start + row, corners.shape[0])
        variances[row] = gather_patch(images, i, runs, corners[p], centred, row)


@step
def _find_places(regions, start, of_image, of_region, places):
    """Find where the sums of the region of each of some consecutive patches begin."""
    for row in range(places.shape[0]):
        i, p = divmod(start + row, regions.shape[0])
        places[row] = i * of_image + of_region * regions[p]


@step
def _pull_back(raw, scale, offsets, alpha, gradients, summed):
    """Overwrite the products of a patch by gradients, and sum those of the rest."""
    rising, falling = gradients
    of_offsets, of_levels = summed
    nothing = alpha - alpha
    for j in range(np.uint64(raw.shape[0])):
        value, up, down = raw[j] * scale - offsets[j], rising[j], falling[j]
        up = up if value > alpha else nothing
        down = down if -value > alpha else nothing
        of_levels[j] -= up + down
        of_offsets[j] -= up - down
        raw[j] = (up - down) * scale


@step
def _part(length, most):
    """Return the length of equal parts, up to a maximum."""
    n_parts = -(-length // most)
    return -(-length // n_parts)


@step
def _add_rests(raw, scales, offsets, alpha, places, first, n_atoms, out):
    """Sum the excess of scaled products minus offsets over a level."""
    n_patches, i = np.uint64(raw.shape[0]), np.uint64(0)
    while i < n_patches:
        after, up = i + np.uint64(1), np.uint64(places[i] + first)
        down = up + np.uint64(n_atoms)
        if after < n_patches and places[after] == places[i]:
            # Two patches of a region at once: its sums are read and written once.
            _add_two(raw, scales, offsets, alpha, i, up, down, out)
            i = after + np.uint64(1)
        else:
            _add_one(raw, scales, offsets, alpha, i, up, down, out)
            i = after


@step
def _add_one(raw, scales, offsets, alpha, i, up, down, out):
    scale = scales[i]
    for j in range(np.uint64(raw.shape[1])):
        value = raw[i, j] * scale - offsets[j]
        out[up + j] += _rest(value, alpha)
        out[down + j] += _rest(-value, alpha)


@step
def _add_two(raw, scales, offsets, alpha, i, up, down, out):
    after = i + np.uint64(1)
    scale, scale_after = scales[i], scales[after]
    for j in range(np.uint64(raw.shape[1])):
        one = raw[i, j] * scale - offsets[j]
        two = raw[after, j] * scale_after - offsets[j]
        # In the order of the patches, as if they came one by one.
        out[up + j] = out[up + j] + _rest(one, alpha) + _rest(two, alpha)
        out[down + j] = out[down + j] + _rest(-one, alpha) + _rest(-two, alpha)


@step
def _rest(value, level):
    """Return the excess of a value over a level, or zero."""
    rest, nothing = value - level, level - level
    return rest if rest > nothing else nothing
