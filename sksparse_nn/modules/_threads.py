"""Number of threads that torch uses for small batches."""

import os
from contextlib import contextmanager
from threading import get_ident

import torch

# Multiply-adds of a forward pass below which threads cost more than they save. Each
# operation waits for all threads, up to a hundred times its own duration if another
# process occupies a core.
_WORTH_THREADS = 2e7

# Places at which a convolution multiplies by its weights: 8 x 8 pixels are few.
_PLACES = 64

# Python threads for which torch may have started its own threads.
_CALLERS = set()


@contextmanager
def limit_threads(parameters, n_rows):
    """Run small batches on one thread and restore the number afterwards.

    Parameters
    ----------
    parameters : iterable of Parameter
        Weights that torch multiplies by.

    n_rows : int
        Samples per batch.
    """
    before = torch.get_num_threads()
    if before > 1:
        _CALLERS.add(get_ident())
    work = n_rows * sum(map(_multiply_adds, parameters))
    if before == 1 or work >= _WORTH_THREADS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _multiply_adds(weights):
    """Return about how often the weights multiply something, per sample."""
    return weights.numel() * (_PLACES if weights.ndim > 2 else 1)


def _after_fork_in_child():
    """Keep torch from waiting for threads that exist only in the parent."""
    if get_ident() in _CALLERS:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
