"""The patch coders of the common checks: rows are images of one row of pixels."""

from sksparse_nn import ImagePatchCoder

_ROW = (1, -1)

PATCH_CODERS = [
    ImagePatchCoder(image_shape=_ROW),
    ImagePatchCoder(
        8, image_shape=_ROW, patch_size=3, algorithm="threshold", learner=None
    ),
    ImagePatchCoder(
        8, image_shape=_ROW, patch_size=3, algorithm="triangle", learner="kmeans"
    ),
    ImagePatchCoder(
        8, image_shape=_ROW, patch_size=3, algorithm="hard_assignment", pooling="mean"
    ),
    ImagePatchCoder(
        8,
        image_shape=_ROW,
        patch_size=3,
        algorithm="omp",
        n_nonzero_coefs=2,
        learner="mod",
        pooling="max",
    ),
    ImagePatchCoder(
        8,
        image_shape=_ROW,
        patch_size=3,
        algorithm="lasso",
        split_sign=False,
        whiten=None,
        max_epochs=2,
    ),
]
