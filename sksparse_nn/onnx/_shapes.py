"""Shapes of what the layers of a network are given."""

import torch

from sksparse_nn.modules._modes import own_modes
from sksparse_nn.onnx._refusals import refuse


def record_shapes(module, n_features):
    """Run rows through a network, and record what its layers are given.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.

    n_features : int
        Width of the rows.

    Returns
    -------
    shapes : Shapes
        Of single samples.
    """
    shapes, rows = Shapes(), torch.zeros(2, n_features)
    like = next(module.parameters(), next(module.buffers(), rows))
    handles = [part.register_forward_pre_hook(shapes.add) for part in module.modules()]
    try:
        with own_modes(), torch.inference_mode():
            module(rows.to(like))
    finally:
        for handle in handles:
            handle.remove()
    return shapes


class Shapes:
    """What each layer of a network was given."""

    def __init__(self):
        self._of_layers = {}

    def add(self, layer, given):
        """Record the shapes of a call."""
        shapes = [tuple(getattr(x, "shape", ()))[1:] for x in given]
        self._of_layers.setdefault(layer, set()).add(tuple(shapes))

    def of(self, layer):
        """Return the shape of the only input of a layer."""
        known = self._of_layers.get(layer, set())
        if len(known) != 1 or len(*known) != 1:
            refuse(
                f"The layer {type(layer).__name__}",
                "it is not called with one input of one shape",
            )
        ((shape,),) = known
        return shape
