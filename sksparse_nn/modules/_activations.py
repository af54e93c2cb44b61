"""Memory that the activations of a network take."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Copies of the largest activation that a forward pass may hold at a time: what an
# operation reads and writes, what a residual sum waits for, and one to spare.
_COPIES = 4


def bytes_per_row(forward, rows):
    """Measure the memory that a forward pass takes per sample.

    Parameters
    ----------
    forward : callable
        Runs a network.

    rows : Tensor of shape (n_rows, ...)
        Input of a few samples.

    Returns
    -------
    n_bytes : int
        An estimate from the largest result of an operation.
    """
    with _LargestResult() as found:
        forward(rows)
    return _COPIES * found.n_bytes // len(rows)


class _LargestResult(TorchDispatchMode):
    """Record the size of the largest tensor that an operation returns."""

    n_bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        results = func(*args, **(kwargs or {}))
        sizes = [
            result.numel() * result.element_size()
            for result in tree_leaves(results)
            if isinstance(result, torch.Tensor)
        ]
        self.n_bytes = max(self.n_bytes, *sizes, 0)
        return results
