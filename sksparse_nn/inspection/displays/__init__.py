"""Displays of models: the constructor stores numbers, `plot` draws them."""

from sksparse_nn.inspection.displays._atom_card_display import AtomCardDisplay
from sksparse_nn.inspection.displays._attribution_display import AttributionDisplay
from sksparse_nn.inspection.displays._compression_display import CompressionDisplay
from sksparse_nn.inspection.displays._deletion_display import DeletionCurvesDisplay
from sksparse_nn.inspection.displays._dictionary_display import DictionaryDisplay
from sksparse_nn.inspection.displays._path_display import SparsityPathDisplay
from sksparse_nn.inspection.displays._reconstruction_display import (
    ReconstructionDisplay,
)
from sksparse_nn.inspection.displays._spectrum_display import SpectrumDisplay
from sksparse_nn.inspection.displays._usage_display import CodeUsageDisplay

__all__ = [
    "AtomCardDisplay",
    "AttributionDisplay",
    "CodeUsageDisplay",
    "CompressionDisplay",
    "DeletionCurvesDisplay",
    "DictionaryDisplay",
    "ReconstructionDisplay",
    "SparsityPathDisplay",
    "SpectrumDisplay",
]
