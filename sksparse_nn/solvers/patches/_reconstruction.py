"""Reconstruction of images from the codes of their patches."""

import numpy as np

from sksparse_nn.kernels.patches import add_to_images
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import map_in_order
from sksparse_nn.solvers.patches._pooling import (
    PatchReader,
    cut_images,
    float_type,
    read_float_images,
)

# Patches whose codes are dense at a time.
_ROWS = 512


def reconstruct_images(X, pooling, state, *, whitening, atoms, n_jobs=None):
    """Reconstruct the patches of images, and average where they overlap.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_images, n_features)
        Images.

    pooling : Pooling
        Layout and encoder.

    state : object
        From `prepare_encoder`.

    whitening : Whitening
        The map of patches.

    atoms : ndarray of shape (n_atoms, patch_width)
        Atoms to multiply the codes by.

    n_jobs : int or None, default=None
        Number of threads.

    Returns
    -------
    Y : ndarray of shape (n_images, n_features)
        Images, of the type that `float_type` returns.
    """
    layout, dtype = pooling.layout, float_type(X)
    Y = np.empty(X.shape, dtype)

    def work(where):
        images = read_float_images(X, where, layout)
        reader, out = PatchReader(layout, dtype), np.zeros_like(images)
        for start in range(0, len(images), reader.n_images):
            some = slice(start, start + reader.n_images)
            patches = reader.read(images[some])
            again = np.empty_like(patches.centred)
            for rows in block_slices(len(patches), _ROWS):
                part = patches[rows]
                values = pooling.encoder.values(state, part)
                means = _compute_means(images[some], layout, rows)
                scales = whitening.scales(part)
                again[rows] = whitening.undo(values @ atoms, scales, means)
            counts = np.empty(layout.n_features)
            add_to_images(again, layout.pixels, layout.corners, out[some], counts)
            is_covered = counts > 0
            out[some] /= np.where(is_covered, counts, 1).astype(dtype)
            out[some, ~is_covered] = images[some][:, ~is_covered]
        Y[where] = layout.to_given_order(out)

    for _ in map_in_order(work, cut_images(X.shape[0], layout), n_jobs):
        pass
    pooling.encoder.finish(state)
    return Y


def _compute_means(images, layout, rows):
    """Return the means of some patches, in the order of images, then positions."""
    image, position = np.divmod(np.arange(rows.start, rows.stop), layout.n_positions)
    places = layout.corners[position][:, None] + layout.pixels
    return images[image[:, None], places].mean(axis=1, dtype=np.float64)
