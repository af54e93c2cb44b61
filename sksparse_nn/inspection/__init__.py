"""Inspect a model: its atoms, its predictions and the activations of its network.

Functions compute numbers; displays draw them.
"""

from sksparse_nn.inspection.activations import LayerActivations, loss_recovered, steer
from sksparse_nn.inspection.atoms import (
    atom_table,
    class_profile,
    dead_atoms,
    explained_variance,
    mean_l0,
    mutual_coherence,
    stability,
    top_samples,
)
from sksparse_nn.inspection.attribution import attribute, deletion_curves
from sksparse_nn.inspection.displays import (
    AtomCardDisplay,
    AttributionDisplay,
    CodeUsageDisplay,
    CompressionDisplay,
    DeletionCurvesDisplay,
    DictionaryDisplay,
    ReconstructionDisplay,
    SparsityPathDisplay,
    SpectrumDisplay,
)
from sksparse_nn.inspection.pages import report

__all__ = [
    "AtomCardDisplay",
    "AttributionDisplay",
    "CodeUsageDisplay",
    "CompressionDisplay",
    "DeletionCurvesDisplay",
    "DictionaryDisplay",
    "LayerActivations",
    "ReconstructionDisplay",
    "SparsityPathDisplay",
    "SpectrumDisplay",
    "atom_table",
    "attribute",
    "class_profile",
    "dead_atoms",
    "deletion_curves",
    "explained_variance",
    "loss_recovered",
    "mean_l0",
    "mutual_coherence",
    "report",
    "stability",
    "steer",
    "top_samples",
]
