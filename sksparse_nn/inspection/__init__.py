"""Inspect a model: its atoms, its predictions and the activations of its network.

Functions compute numbers; displays draw them.
"""

from typing import TYPE_CHECKING

from sksparse_nn._lazy import load_on_use

if TYPE_CHECKING:
    from sksparse_nn.inspection.activations import (
        LayerActivations,
        loss_recovered,
        steer,
    )
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
        FeatureMapsDisplay,
        ReconstructionDisplay,
        SparsityPathDisplay,
        SpectrumDisplay,
    )
    from sksparse_nn.inspection.pages import report

# Module of each public name. Numbers about atoms need no torch.
_HOMES = {
    "AtomCardDisplay": "displays",
    "AttributionDisplay": "displays",
    "CodeUsageDisplay": "displays",
    "CompressionDisplay": "displays",
    "DeletionCurvesDisplay": "displays",
    "DictionaryDisplay": "displays",
    "FeatureMapsDisplay": "displays",
    "LayerActivations": "activations",
    "ReconstructionDisplay": "displays",
    "ScreeningDisplay": "displays",
    "SparsityPathDisplay": "displays",
    "SpectrumDisplay": "displays",
    "atom_table": "atoms",
    "attribute": "attribution",
    "class_profile": "atoms",
    "dead_atoms": "atoms",
    "deletion_curves": "attribution",
    "explained_variance": "atoms",
    "loss_recovered": "activations",
    "mean_l0": "atoms",
    "mutual_coherence": "atoms",
    "report": "pages",
    "stability": "atoms",
    "steer": "activations",
    "top_samples": "atoms",
}

__all__ = [
    "AtomCardDisplay",
    "AttributionDisplay",
    "CodeUsageDisplay",
    "CompressionDisplay",
    "DeletionCurvesDisplay",
    "DictionaryDisplay",
    "FeatureMapsDisplay",
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

__getattr__, __dir__ = load_on_use(__name__, _HOMES)
