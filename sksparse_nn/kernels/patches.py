"""Patches of images: gathered, and what encoders say of them pooled."""

import numpy as np

from sksparse_nn.kernels._jit import kernel, reduction, step


@kernel
def gather_patches(images, runs, corners, centred, variances):
    """Copy all patches of some images, each without its mean.

    Parameters
    ----------
    images : array of shape (n_images, n_features)
        Of a float type.

    runs : int64 array of shape (n_runs,)
        Where, behind its corner, the runs begin of which a patch consists.

    corners : int64 array of shape (n_positions,)
        Where the corners stand in an image.

    centred : array of shape (n_images * n_positions, patch_width)
        Overwritten.

    variances : float64 array of shape (n_images * n_positions,)
        Overwritten with the variances of the patches, one degree of freedom less.
    """
    n, width = np.uint64(corners.shape[0]), np.uint64(centred.shape[1])
    n_runs = np.uint64(runs.shape[0])
    length = width // n_runs
    for i in range(np.uint64(images.shape[0])):
        for p in range(n):
            row, corner = i * n + p, corners[p]
            # About its first value, so that a constant patch is exactly zero.
            first = images[i, corner]
            for r in range(n_runs):
                source, target = np.uint64(corner + runs[r]), r * length
                for j in range(length):
                    centred[row, target + j] = images[i, source + j] - first
            total, squares = _sums(centred, row)
            mean = total / width
            shift = centred.dtype.type(mean)
            for j in range(width):
                centred[row, j] -= shift
            # The first value is one of the patch: the difference of these two loses no
            # more digits than a sum of as many values does.
            spread = max(squares - total * mean, 0.0)
            variances[row] = spread / max(width - np.uint64(1), np.uint64(1))


@reduction
def _sums(rows, i):
    """Return the sum of a row, and that of its squares, in float64."""
    total, squares = 0.0, 0.0
    for j in range(np.uint64(rows.shape[1])):
        value = np.float64(rows[i, j])
        total += value
        squares += value * value
    return total, squares


@kernel
def pool_soft_thresholds(raw, scales, offsets, alpha, places, out):
    """Shrink what atoms say of patches by a level, and add it up by region.

    Parameters
    ----------
    raw : array of shape (n_patches, n_atoms)
        Products of centred patches and folded atoms.

    scales : array of shape (n_patches,)
        What the products of a patch are multiplied by.

    offsets : array of shape (n_atoms,)
        What is taken off after that.

    alpha : float, of the type of `raw`
        The level.

    places : int64 array of shape (n_patches,)
        Where the sums of a patch's region begin in `out`: first those of positive
        values, then, one for each atom too, those of negative ones.

    out : array of shape (n_outputs,)
        Added to.
    """
    n_patches, i = np.uint64(raw.shape[0]), np.uint64(0)
    while i < n_patches:
        after = i + np.uint64(1)
        if after < n_patches and places[after] == places[i]:
            # Two patches of a region at once: its sums are read and written once.
            _pool_two(raw, scales, offsets, alpha, i, np.uint64(places[i]), out)
            i = after + np.uint64(1)
        else:
            _pool_one(raw, scales, offsets, alpha, i, np.uint64(places[i]), out)
            i = after


@step
def _pool_one(raw, scales, offsets, alpha, i, up, out):
    n_atoms, scale = np.uint64(raw.shape[1]), scales[i]
    down = up + n_atoms
    for j in range(n_atoms):
        value = raw[i, j] * scale - offsets[j]
        out[up + j] += _rest(value, alpha)
        out[down + j] += _rest(-value, alpha)


@step
def _pool_two(raw, scales, offsets, alpha, i, up, out):
    n_atoms, after = np.uint64(raw.shape[1]), i + np.uint64(1)
    scale, scale_after = scales[i], scales[after]
    down = up + n_atoms
    for j in range(n_atoms):
        one = raw[i, j] * scale - offsets[j]
        two = raw[after, j] * scale_after - offsets[j]
        # In the order of the patches, as if they came one by one.
        out[up + j] = out[up + j] + _rest(one, alpha) + _rest(two, alpha)
        out[down + j] = out[down + j] + _rest(-one, alpha) + _rest(-two, alpha)


@step
def _rest(value, level):
    """Return by how much a value is above a level, or zero."""
    rest, nothing = value - level, level - level
    return rest if rest > nothing else nothing


@kernel
def pool_sums(values, places, out):
    """Add values up by region.

    Parameters
    ----------
    values : array of shape (n_patches, n_values)
        Values.

    places, out
        As in `pool_soft_thresholds`; a region has as many sums as a patch values.
    """
    n = np.uint64(values.shape[1])
    for i in range(np.uint64(values.shape[0])):
        at = np.uint64(places[i])
        for j in range(n):
            out[at + j] += values[i, j]


@kernel
def pool_signed_sums(values, places, out):
    """Add values up by region, positive and negative ones apart.

    Parameters
    ----------
    values, places, out
        As in `pool_soft_thresholds`, the values as they are.
    """
    nothing = values.dtype.type(0)
    n = np.uint64(values.shape[1])
    for i in range(np.uint64(values.shape[0])):
        up = np.uint64(places[i])
        for j in range(n):
            value = values[i, j]
            out[up + j] += value if value > nothing else nothing
            out[up + n + j] += -value if value < nothing else nothing


@kernel
def pool_maxima(values, places, out):
    """Keep the largest value of each region.

    Parameters
    ----------
    values, places
        As in `pool_sums`.

    out : array of shape (n_outputs,)
        Raised.
    """
    n = np.uint64(values.shape[1])
    for i in range(np.uint64(values.shape[0])):
        at = np.uint64(places[i])
        for j in range(n):
            out[at + j] = values[i, j] if values[i, j] > out[at + j] else out[at + j]


@kernel
def pool_signed_maxima(values, places, out):
    """Keep the largest value of each region, and the largest of the negated ones.

    Parameters
    ----------
    values, places
        As in `pool_signed_sums`.

    out : array of shape (n_outputs,)
        Raised.
    """
    n = np.uint64(values.shape[1])
    for i in range(np.uint64(values.shape[0])):
        up = np.uint64(places[i])
        down = up + n
        for j in range(n):
            value = values[i, j]
            out[up + j] = value if value > out[up + j] else out[up + j]
            out[down + j] = -value if -value > out[down + j] else out[down + j]


@kernel
def add_to_images(patches, pixels, corners, images, counts):
    """Add patches to images where they stand, and count what was added where.

    Parameters
    ----------
    patches : array of shape (n_images * n_positions, patch_width)
        Values.

    pixels : int64 array of shape (patch_width,)
        Where the values of a patch stand behind its corner.

    corners
        As in `gather_patches`.

    images : array of shape (n_images, n_features)
        Added to.

    counts : array of shape (n_features,)
        Overwritten with how many patches cover a value.
    """
    n, width = np.uint64(corners.shape[0]), np.uint64(pixels.shape[0])
    counts[:] = 0
    for p in range(n):
        for j in range(width):
            counts[corners[p] + pixels[j]] += 1
    for i in range(np.uint64(images.shape[0])):
        for p in range(n):
            for j in range(width):
                images[i, corners[p] + pixels[j]] += patches[i * n + p, j]
