"""Read a model: which atoms, why this prediction. Numbers first, drawing second."""

from sksparse_nn.inspection._atom_card_display import AtomCardDisplay
from sksparse_nn.inspection._atoms import (
    atom_table,
    class_profile,
    mutual_coherence,
    stability,
    top_samples,
)
from sksparse_nn.inspection._attribution import attribute
from sksparse_nn.inspection._attribution_display import AttributionDisplay
from sksparse_nn.inspection._deletion_display import DeletionCurvesDisplay
from sksparse_nn.inspection._dictionary_display import DictionaryDisplay
from sksparse_nn.inspection._faithfulness import deletion_curves
from sksparse_nn.inspection._path_display import SparsityPathDisplay
from sksparse_nn.inspection._reconstruction_display import ReconstructionDisplay
from sksparse_nn.inspection._spectrum_display import SpectrumDisplay
from sksparse_nn.inspection._usage_display import CodeUsageDisplay

__all__ = [
    "AtomCardDisplay",
    "AttributionDisplay",
    "CodeUsageDisplay",
    "DeletionCurvesDisplay",
    "DictionaryDisplay",
    "ReconstructionDisplay",
    "SparsityPathDisplay",
    "SpectrumDisplay",
    "atom_table",
    "attribute",
    "class_profile",
    "deletion_curves",
    "mutual_coherence",
    "stability",
    "top_samples",
]
