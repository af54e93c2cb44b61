"""Numbers about atoms and codes."""

from sksparse_nn.inspection.atoms._atoms import (
    atom_table,
    class_profile,
    mutual_coherence,
    stability,
    top_samples,
)
from sksparse_nn.inspection.atoms._metrics import (
    dead_atoms,
    explained_variance,
    mean_l0,
)

__all__ = [
    "atom_table",
    "class_profile",
    "dead_atoms",
    "explained_variance",
    "mean_l0",
    "mutual_coherence",
    "stability",
    "top_samples",
]
