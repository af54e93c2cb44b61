"""Patches of images: their atoms, their codes, pooled. Arrays in, arrays out."""

from sksparse_nn.solvers.patches._atoms import learn_atoms
from sksparse_nn.solvers.patches._encoders import ENCODERS, PatchEncoder
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
from sksparse_nn.solvers.patches._reconstruction import reconstructed
from sksparse_nn.solvers.patches._whitening import (
    Whitening,
    check_scale,
    fit_whitening,
)

__all__ = [
    "ENCODERS",
    "POOLINGS",
    "Layout",
    "PatchEncoder",
    "PatchReader",
    "Pooling",
    "Whitening",
    "check_scale",
    "draw_patches",
    "fit_whitening",
    "float_images",
    "float_type",
    "learn_atoms",
    "prepared",
    "read_layout",
    "reconstructed",
]
