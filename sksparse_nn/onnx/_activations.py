"""Activations of a layer of a network."""

import numpy as np
from torch import nn

from sksparse_nn._pipelines import last_step
from sksparse_nn.inspection.activations._networks import module_of
from sksparse_nn.modules._places import find_place
from sksparse_nn.modules._run import module_float_type
from sksparse_nn.onnx._traced import emit_traced


def emit_activations(transformer, graph, x, dtype):
    """Write the nodes of the network in `LayerActivations`, up to the layer.

    Parameters
    ----------
    transformer : LayerActivations
        Fitted.

    graph : Graph
        Takes the nodes.

    x : str
        Input of the network.

    dtype : dtype
        Float type of the input.

    Returns
    -------
    activations : str
        Of shape (n_rows, n_units), or (n_rows * n_positions, n_channels).
    """
    network = last_step(transformer.estimator_)
    module = module_of(network)
    until = NetworkUpToLayer(module, transformer.layer, transformer.positions)
    own = np.dtype(module_float_type(module))
    shape = (network.n_features_in_,)
    found = emit_traced(until, graph, graph.cast(x, own), own, shape)
    return graph.cast(found, dtype)


class NetworkUpToLayer(nn.Module):
    """A network whose output is the activation of a layer."""

    def __init__(self, module, layer, positions):
        super().__init__()
        self.module, self._layer, self._positions = module, layer, positions

    def forward(self, rows):
        seen = []
        place = find_place(self.module, self._layer)
        if place.is_input:
            handle = place.layer.register_forward_pre_hook(
                lambda layer, given: seen.append(given[0])
            )
        else:
            handle = place.layer.register_forward_hook(
                lambda layer, given, output: seen.append(output)
            )
        try:
            self.module(rows)
        finally:
            handle.remove()
        return self._as_rows(seen[0])

    def _as_rows(self, activation):
        if not self._positions:
            return activation.flatten(1)
        if self._positions is True and activation.ndim > 2:
            activation = activation.movedim(1, -1)
        return activation.reshape(-1, activation.shape[-1])
