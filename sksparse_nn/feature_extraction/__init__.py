"""Features of images."""

from sksparse_nn.feature_extraction._image_patch_coder import ImagePatchCoder

__all__ = ["ImagePatchCoder"]
