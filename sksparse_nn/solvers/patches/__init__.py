"""Patches of images: their atoms, their codes, pooled. Arrays in, arrays out.

To add an encoder that is no coder of rows, write its file and its line in `ENCODERS`.
"""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers import coding, dictionary
from sksparse_nn.solvers.patches._adapter import encoder_of
from sksparse_nn.solvers.patches._atoms import learn_atoms
from sksparse_nn.solvers.patches._encoder import PatchEncoder
from sksparse_nn.solvers.patches._kmeans import KMeans
from sksparse_nn.solvers.patches._layout import Layout, read_layout
from sksparse_nn.solvers.patches._pooling import (
    POOLINGS,
    PatchReader,
    Pooling,
    draw_patches,
    float_images,
    float_type,
    prepared,
)
from sksparse_nn.solvers.patches._products import HardAssignment
from sksparse_nn.solvers.patches._reconstruction import reconstructed
from sksparse_nn.solvers.patches._whitening import (
    Whitening,
    check_scale,
    fit_whitening,
)

ENCODERS = Registry("algorithm", **coding.CODERS, hard_assignment=HardAssignment)

LEARNERS = Registry("learner", **dictionary.LEARNERS, kmeans=KMeans)

__all__ = [
    "ENCODERS",
    "LEARNERS",
    "POOLINGS",
    "HardAssignment",
    "KMeans",
    "Layout",
    "PatchEncoder",
    "PatchReader",
    "Pooling",
    "Whitening",
    "check_scale",
    "draw_patches",
    "encoder_of",
    "fit_whitening",
    "float_images",
    "float_type",
    "learn_atoms",
    "prepared",
    "read_layout",
    "reconstructed",
]
