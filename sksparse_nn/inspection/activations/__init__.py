"""Activations of the layers of a network."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.inspection.activations._layer_activations import LayerActivations
from sksparse_nn.inspection.activations._loss_recovered import loss_recovered
from sksparse_nn.inspection.activations._steering import steer

__all__ = [
    "LayerActivations",
    "loss_recovered",
    "steer",
]
