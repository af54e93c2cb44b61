"""Contributions of atoms and features to predictions."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.inspection.attribution._attribution import attribute
from sksparse_nn.inspection.attribution._faithfulness import deletion_curves

__all__ = [
    "attribute",
    "deletion_curves",
]
