"""Outputs of encoders, written over products of patches and atoms.

Each kernel takes `raw` of shape (n_patches, n_atoms), the products of centred patches
and folded atoms, and overwrites it; `scales` of shape (n_patches,), factors of the
products of each patch; and `offsets` of shape (n_atoms,), subtracted after that. All
are of one float type.
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel

# Sums and minima kept side by side, none of which waits for the others: the loop over
# them becomes a few instructions.
_LANES = 16


@kernel
def soft_thresholds(raw, scales, offsets, alpha):
    """Shrink products towards zero by a level.

    Parameters
    ----------
    raw, scales, offsets
        As in the module.

    alpha : float, of the type of `raw`
        The level.
    """
    n_atoms = np.uint64(raw.shape[1])
    for i in range(np.uint64(raw.shape[0])):
        nothing, scale = scales[i] - scales[i], scales[i]
        for j in range(n_atoms):
            value = raw[i, j] * scale - offsets[j]
            above, below = value - alpha, value + alpha
            above = above if above > nothing else nothing
            raw[i, j] = above + (below if below < nothing else nothing)


@kernel
def thresholds(raw, scales, offsets, alpha):
    """Set products to zero whose magnitude is not above a level.

    Parameters
    ----------
    raw, scales, offsets, alpha
        As in `soft_thresholds`.
    """
    n_atoms = np.uint64(raw.shape[1])
    for i in range(np.uint64(raw.shape[0])):
        nothing, scale = scales[i] - scales[i], scales[i]
        for j in range(n_atoms):
            value = raw[i, j] * scale - offsets[j]
            raw[i, j] = value if abs(value) > alpha else nothing


@kernel
def triangles(raw, scales, offsets, norms, squares):
    """Compute how much closer atoms are to a patch than all atoms on average.

    Parameters
    ----------
    raw, scales, offsets
        As in the module.

    norms : array of shape (n_atoms,)
        Squared norms of the atoms.

    squares : array of shape (n_patches,)
        Squared norms of the whitened patches.
    """
    n_atoms, n_lanes = np.uint64(raw.shape[1]), np.uint64(_LANES)
    full = n_atoms - n_atoms % n_lanes
    sums = np.empty(_LANES, raw.dtype)
    for i in range(np.uint64(raw.shape[0])):
        nothing, square = scales[i] - scales[i], squares[i]
        twice = scales[i] + scales[i]
        for j in range(n_atoms):
            product = raw[i, j] * twice - (offsets[j] + offsets[j])
            distance = square + (norms[j] - product)
            raw[i, j] = np.sqrt(distance if distance > nothing else nothing)
        sums[:] = 0
        for j in range(np.uint64(0), full, n_lanes):
            for lane in range(n_lanes):
                sums[lane] += raw[i, j + lane]
        total = 0.0
        for lane in range(n_lanes):
            total += sums[lane]
        for j in range(full, n_atoms):
            total += raw[i, j]
        # In the type of the distances: the differences stay in that.
        mean = raw.dtype.type(total / n_atoms)
        for j in range(n_atoms):
            nearer = mean - raw[i, j]
            raw[i, j] = nearer if nearer > nothing else nothing


@kernel
def nearest(raw, scales, offsets, norms):
    """Write one for the first nearest atom of a patch, and zero elsewhere.

    Parameters
    ----------
    raw, scales, offsets, norms
        As in `triangles`.
    """
    n_atoms, n_lanes = np.uint64(raw.shape[1]), np.uint64(_LANES)
    full = n_atoms - n_atoms % n_lanes
    minima = np.empty(_LANES, raw.dtype)
    for i in range(np.uint64(raw.shape[0])):
        nothing, twice = scales[i] - scales[i], scales[i] + scales[i]
        for j in range(n_atoms):
            raw[i, j] = norms[j] - (raw[i, j] * twice - (offsets[j] + offsets[j]))
        minima[:] = np.inf
        for j in range(np.uint64(0), full, n_lanes):
            for lane in range(n_lanes):
                minima[lane] = min(minima[lane], raw[i, j + lane])
        least = minima.min()
        for j in range(full, n_atoms):
            least = min(least, raw[i, j])
        first = np.uint64(0)
        while raw[i, first] != least and first + np.uint64(1) < n_atoms:
            first += np.uint64(1)
        for j in range(n_atoms):
            raw[i, j] = nothing
        raw[i, first] = 1
