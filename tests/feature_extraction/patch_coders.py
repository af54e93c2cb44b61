"""The patch coders of the common checks: rows are images of one row of pixels."""

from sksparse_nn import ImagePatchCoder

_ROW = (1, -1)

PATCH_CODERS = [
    ImagePatchCoder(image_shape=_ROW),
    ImagePatchCoder(
        8, image_shape=_ROW, patch_size=3, encoder="threshold", learner="random"
    ),
    ImagePatchCoder(
        8, image_shape=_ROW, patch_size=3, encoder="triangle", learner="kmeans"
    ),
    ImagePatchCoder(
        8, image_shape=_ROW, patch_size=3, encoder="hard_assignment", pooling="mean"
    ),
    ImagePatchCoder(
        8,
        image_shape=_ROW,
        patch_size=3,
        encoder="omp",
        n_nonzero_coefs=2,
        learner="mod",
        pooling="max",
    ),
    ImagePatchCoder(
        8,
        image_shape=_ROW,
        patch_size=3,
        encoder="lasso",
        split_sign=False,
        whitening=None,
        max_epochs=2,
    ),
]
