"""Read a model: which atoms, why this prediction. Numbers first, drawing second."""

from sksparse_nn.inspection._atoms import (
    atom_table,
    class_profile,
    mutual_coherence,
    stability,
    top_samples,
)
from sksparse_nn.inspection._attribution import attribute
from sksparse_nn.inspection._faithfulness import deletion_curves

__all__ = [
    "atom_table",
    "attribute",
    "class_profile",
    "deletion_curves",
    "mutual_coherence",
    "stability",
    "top_samples",
]
