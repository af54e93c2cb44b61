"""Displays of models: the constructor stores numbers, `plot` draws them."""

from typing import TYPE_CHECKING

from sksparse_nn._lazy import load_on_use

if TYPE_CHECKING:
    from sksparse_nn.inspection.displays._atom_card_display import AtomCardDisplay
    from sksparse_nn.inspection.displays._attribution_display import AttributionDisplay
    from sksparse_nn.inspection.displays._compression_display import CompressionDisplay
    from sksparse_nn.inspection.displays._deletion_display import DeletionCurvesDisplay
    from sksparse_nn.inspection.displays._dictionary_display import DictionaryDisplay
    from sksparse_nn.inspection.displays._feature_maps_display import FeatureMapsDisplay
    from sksparse_nn.inspection.displays._path_display import SparsityPathDisplay
    from sksparse_nn.inspection.displays._reconstruction_display import (
        ReconstructionDisplay,
    )
    from sksparse_nn.inspection.displays._spectrum_display import SpectrumDisplay
    from sksparse_nn.inspection.displays._usage_display import CodeUsageDisplay

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
    "ScreeningDisplay": "_screening_display",
    "SparsityPathDisplay": "_path_display",
    "SpectrumDisplay": "_spectrum_display",
}

__all__ = [
    "AtomCardDisplay",
    "AttributionDisplay",
    "CodeUsageDisplay",
    "CompressionDisplay",
    "DeletionCurvesDisplay",
    "DictionaryDisplay",
    "FeatureMapsDisplay",
    "ReconstructionDisplay",
    "SparsityPathDisplay",
    "SpectrumDisplay",
]

__getattr__, __dir__ = load_on_use(__name__, _HOMES)
