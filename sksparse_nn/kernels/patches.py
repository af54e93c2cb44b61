"""Gather patches of images, and pool the outputs of encoders."""

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
        Overwritten with the variances of the patches, with one degree of freedom less.
    """
    n = np.uint64(corners.shape[0])
    for i in range(np.uint64(images.shape[0])):
        for p in range(n):
            row = i * n + p
            variances[row] = gather_patch(images, i, runs, corners[p], centred, row)


@step
def gather_patch(images, i, runs, corner, centred, row):
    """Copy one patch of an image without its mean.

    Parameters
    ----------
    images, runs, centred
        As in `gather_patches`.

    i, row : int
        Image, and row of `centred`.

    corner : int
        Where the corner of the patch stands in the image.

    Returns
    -------
    variance : float
        As in `gather_patches`.
    """
    width, n_runs = np.uint64(centred.shape[1]), np.uint64(runs.shape[0])
    length = width // n_runs
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
    # The first value is one of the patch: the difference of these two loses no more
    # digits than a sum of as many values does.
    return max(squares - total * mean, 0.0) / max(width - np.uint64(1), np.uint64(1))


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
def scale_patches(variances, contrast, scales):
    """Compute the scales that normalise the contrast of patches.

    Parameters
    ----------
    variances : float64 array of shape (n_patches,)
        Variances of the patches.

    contrast : float
        Added to them.

    scales : array of shape (n_patches,)
        Overwritten with the factors of centred patches: zero if the factor overflows
        the type, such as for constant patches.
    """
    largest = np.float64(np.finfo(scales.dtype).max) / 4
    for p in range(np.uint64(scales.shape[0])):
        scale = 1 / np.sqrt(variances[p] + contrast)
        scales[p] = scale if scale < largest else 0


@kernel
def pool_sums(values, places, out):
    """Sum values by region.

    Parameters
    ----------
    values : array of shape (n_patches, n_values)
        Values.

    places : int64 array of shape (n_patches,)
        Where the sums of a patch's region begin in `out`: one for each value.

    out : array of shape (n_outputs,)
        Added to.
    """
    n = np.uint64(values.shape[1])
    for i in range(np.uint64(values.shape[0])):
        at = np.uint64(places[i])
        for j in range(n):
            out[at + j] += values[i, j]


@kernel
def pool_signed_sums(values, places, out):
    """Sum positive and negative values separately by region.

    Parameters
    ----------
    values, out
        As in `pool_sums`.

    places : int64 array of shape (n_patches,)
        Where the sums of a patch's region begin in `out`: first those of positive
        values, then, one for each value too, those of negative ones.
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
    """Add patches to images at their positions, and count the patches per value.

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
        Overwritten with the number of patches that cover each value.
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
