"""Inspect a model: its atoms, its predictions and the activations of its network.

Functions compute numbers; displays draw them.
"""

from sksparse_nn._lazy import load_on_use

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

__all__ = list(_HOMES)

__getattr__, __dir__ = load_on_use(__name__, _HOMES)
