"""As many of torch's threads as the work is worth."""

import os
from contextlib import contextmanager
from threading import get_ident

import torch

# Multiply-adds of a forward pass over a batch, below which more threads cost more than
# they save: each operation waits for all of them, a hundred times longer than it takes
# where another process has one of the cores.
_WORTH_THREADS = 2e7

# Threads of Python for which torch may have started threads of its own.
_CALLERS = set()


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
    if before > 1:
        _CALLERS.add(get_ident())
    work = n_rows * sum(weights.numel() for weights in parameters)
    if before == 1 or work >= _WORTH_THREADS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _after_fork_in_child():
    """Let torch not wait for the threads that the parent has and a child has not."""
    if get_ident() in _CALLERS:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
