"""Codes of patches at each place of an image."""

from copy import copy

import numpy as np


def compute_feature_maps(coder, X):
    """Code images without pooling.

    Parameters
    ----------
    coder : ImagePatchCoder
        Fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Images, one per row.

    Returns
    -------
    maps : ndarray of shape (n_samples, height, width, n_atoms)
        Code of the patch at each place; negative parts that the coder splits off are
        subtracted.
    """
    twin, n_atoms = copy(coder), len(coder.components_)
    height, width = twin.pooled_shape = coder._layout.positions
    twin._layout = twin._read_layout(coder.n_features_in_)
    codes = twin.transform(X).reshape(len(X), height, width, -1)
    if codes.shape[3] == n_atoms:
        return codes
    return np.subtract(codes[..., :n_atoms], codes[..., n_atoms:])
