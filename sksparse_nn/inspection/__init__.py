"""Read a model: which atoms, why this prediction, what is inside a network.

Numbers first, drawing second.
"""

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
from sksparse_nn.inspection._layer_activations import LayerActivations
from sksparse_nn.inspection._loss_recovered import loss_recovered
from sksparse_nn.inspection._metrics import dead_atoms, explained_variance, mean_l0
from sksparse_nn.inspection._path_display import SparsityPathDisplay
from sksparse_nn.inspection._reconstruction_display import ReconstructionDisplay
from sksparse_nn.inspection._report import report
from sksparse_nn.inspection._spectrum_display import SpectrumDisplay
from sksparse_nn.inspection._steering import steer
from sksparse_nn.inspection._usage_display import CodeUsageDisplay

__all__ = [
    "AtomCardDisplay",
    "AttributionDisplay",
    "CodeUsageDisplay",
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
