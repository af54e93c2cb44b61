"""As many of torch's threads as the work is worth."""

from contextlib import contextmanager

import torch

# Multiply-adds of a forward pass over a batch, below which more threads cost more than
# they save: each operation waits for all of them, a hundred times longer than it takes
# where another process has one of the cores.
_WORTH_THREADS = 2e7


@contextmanager
def threads_worth(parameters, n_rows):
    """Let small batches run on one thread, and give back the threads afterwards.

    Parameters
    ----------
    parameters : iterable of Parameter
        What torch multiplies by.

    n_rows : int
        Rows a batch.
    """
    before = torch.get_num_threads()
    work = n_rows * sum(weights.numel() for weights in parameters)
    if before == 1 or work >= _WORTH_THREADS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
