"""Atoms of patches of images, their codes and pooling. Arrays in, arrays out.

To add an encoder that is not a coder of rows, add its file and a line in `ENCODERS`.
"""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers import coding, dictionary
from sksparse_nn.solvers.patches._adapter import make_encoder
from sksparse_nn.solvers.patches._atoms import learn_atoms
from sksparse_nn.solvers.patches._carry import Change
from sksparse_nn.solvers.patches._encoder import PatchEncoder
from sksparse_nn.solvers.patches._kmeans import KMeansAtoms
from sksparse_nn.solvers.patches._layout import Layout, read_layout, restore_layout
from sksparse_nn.solvers.patches._moments import PatchMoments
from sksparse_nn.solvers.patches._pooling import (
    POOLINGS,
    PatchReader,
    Pooling,
    draw_patches,
    draw_weighted_patches,
    float_type,
    prepare_encoder,
    read_float_images,
)
from sksparse_nn.solvers.patches._products import HardAssignment
from sksparse_nn.solvers.patches._reconstruction import reconstruct_images
from sksparse_nn.solvers.patches._state import PatchPlan, PatchState
from sksparse_nn.solvers.patches._sweep import SoftSums
from sksparse_nn.solvers.patches._whitening import (
    Patches,
    Whitening,
    check_scale,
    fit_whitening,
)

ENCODERS = Registry("algorithm", **coding.CODERS, hard_assignment=HardAssignment)

LEARNERS = Registry("learner", **dictionary.LEARNERS, kmeans=KMeansAtoms)

__all__ = [
    "ENCODERS",
    "LEARNERS",
    "POOLINGS",
    "Change",
    "HardAssignment",
    "KMeansAtoms",
    "Layout",
    "PatchEncoder",
    "PatchMoments",
    "PatchPlan",
    "PatchReader",
    "PatchState",
    "Patches",
    "Pooling",
    "SoftSums",
    "Whitening",
    "check_scale",
    "draw_patches",
    "draw_weighted_patches",
    "fit_whitening",
    "float_type",
    "learn_atoms",
    "make_encoder",
    "prepare_encoder",
    "read_float_images",
    "read_layout",
    "reconstruct_images",
    "restore_layout",
]
