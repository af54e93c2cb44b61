"""Displays of models: the constructor stores numbers, `plot` draws them."""

from sksparse_nn._lazy import load_on_use

# Module of each display. Those of atoms and codes need no torch.
_HOMES = {
    "AtomCardDisplay": "_atom_card_display",
    "AttributionDisplay": "_attribution_display",
    "CodeUsageDisplay": "_usage_display",
    "CompressionDisplay": "_compression_display",
    "DeletionCurvesDisplay": "_deletion_display",
    "DictionaryDisplay": "_dictionary_display",
    "FeatureMapsDisplay": "_feature_maps_display",
    "ReconstructionDisplay": "_reconstruction_display",
    "SparsityPathDisplay": "_path_display",
    "SpectrumDisplay": "_spectrum_display",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = load_on_use(__name__, _HOMES)
