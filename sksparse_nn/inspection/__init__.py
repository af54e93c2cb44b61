"""What is inside a network: activations, their atoms, and what these do."""

from sksparse_nn.inspection._layer_activations import LayerActivations
from sksparse_nn.inspection._loss_recovered import loss_recovered
from sksparse_nn.inspection._metrics import dead_atoms, explained_variance, mean_l0
from sksparse_nn.inspection._steering import steer

__all__ = [
    "LayerActivations",
    "dead_atoms",
    "explained_variance",
    "loss_recovered",
    "mean_l0",
    "steer",
]
