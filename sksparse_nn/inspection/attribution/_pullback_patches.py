"""Attributions of pooled features, passed back to pixels."""

import numpy as np

from sksparse_nn.solvers.patches import PatchReader, prepare_encoder, read_float_images


def pull_pooled_back(coder, X, attributions):
    """Pass attributions of pooled features back to pixels.

    A pixel counts by its deviation from the mean of each patch that contains it, in
    units of the patch's contrast, which is held fixed. The offset of a patch, and all
    output of "hard_assignment", belongs to no pixel.

    Parameters
    ----------
    coder : ImagePatchCoder
        Fitted.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Images.

    attributions : ndarray of shape (n_samples, n_targets, n_outputs)
        Contribution of each feature to each target, per unit.

    Returns
    -------
    attributions : ndarray of shape (n_samples, n_targets, n_pixels)
        Contribution of each pixel, per unit.
    """
    pooling, whitening = coder._pooling(), coder._whitening()
    layout = pooling.layout
    images = read_float_images(X, slice(None), layout).astype(np.float64)
    state = prepare_encoder(pooling.encoder, coder.components_, whitening, np.float64)
    places = layout.corners[:, None] + layout.pixels
    out = np.zeros((*attributions.shape[:2], layout.n_features))
    for i in range(len(images)):
        patches = PatchReader(layout, np.float64).read(images[i : i + 1])
        values = pooling.encoder.values(state, patches)
        by_patch = _unpool(pooling, values, attributions[i])
        whitened = whitening.apply(patches)
        slopes = pooling.encoder.slopes(state, whitened, values, by_patch)
        scaled = slopes * whitening.scales(patches)[:, None]
        scaled -= scaled.mean(axis=2, keepdims=True)
        for target in range(attributions.shape[1]):
            np.add.at(out[i, target], places, scaled[target])
    shape = -1, layout.n_features
    return layout.to_given_order(out.reshape(shape)).reshape(out.shape)


def _unpool(pooling, values, attributions):
    """Return the attribution of each value of each patch, for each target."""
    layout, n_targets = pooling.layout, len(attributions)
    signs = 2 if pooling.is_split else 1
    shape = n_targets, layout.n_regions, signs, pooling.n_atoms
    by_region = attributions.reshape(shape)
    if pooling.kind == "mean":
        sizes = np.bincount(layout.regions)
        by_region = by_region / sizes[:, None, None]
    by_patch = by_region[:, layout.regions]
    if pooling.kind == "max":
        by_patch = by_patch * _mark_largest(pooling, values)
    if pooling.is_split:
        by_patch = np.where(values > 0, by_patch[:, :, 0], -by_patch[:, :, 1])
    else:
        by_patch = by_patch[:, :, 0]
    return by_patch * (values != 0)


def _mark_largest(pooling, values):
    """Mark the first patch with the largest value of a region, atom and sign."""
    parts = np.stack([values, -values][: 2 if pooling.is_split else 1], axis=1)
    marks = np.zeros(parts.shape)
    for region in range(pooling.layout.n_regions):
        inside = np.flatnonzero(pooling.layout.regions == region)
        winners = inside[parts[inside].argmax(axis=0)]
        signs, atoms = np.indices(winners.shape)
        marks[winners, signs, atoms] = 1
    return marks
