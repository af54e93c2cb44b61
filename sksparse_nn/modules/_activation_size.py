"""Memory that activations of a network take."""

import torch

from sksparse_nn.modules._hooks import evaluation_mode
from sksparse_nn.modules._run import run


def measure_activations(module, row):
    """Measure the largest input and output of a layer together, for a sample.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    row : {ndarray, CSR matrix} of shape (1, ...)
        A sample.

    Returns
    -------
    n_bytes : int
        The largest sum of bytes of the tensors that a layer without sublayers, or the
        whole network, takes and returns. A layer that works in place counts once.
    """
    largest = [0]

    def see(layer, inputs, output):
        sizes = {part.data_ptr(): part.nbytes for part in _tensors((inputs, output))}
        largest.append(sum(sizes.values()))

    layers = [x for x in module.modules() if x is module or not any(x.children())]
    handles = [layer.register_forward_hook(see) for layer in layers]
    try:
        with evaluation_mode(module):
            run(module, row, 1)
    finally:
        for handle in handles:
            handle.remove()
    return max(largest)


def _tensors(parts):
    """Yield the tensors of nested tuples, lists and dicts."""
    if isinstance(parts, torch.Tensor):
        yield parts
    elif isinstance(parts, dict):
        yield from _tensors(tuple(parts.values()))
    elif isinstance(parts, tuple | list):
        for part in parts:
            yield from _tensors(part)
