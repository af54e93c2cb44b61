"""Blocks of work on a few threads, with BLAS held to one thread meanwhile.

BLAS and our own threads would otherwise compete for the same cores: the workers of a
threaded BLAS keep spinning for a while after each call.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from joblib import effective_n_jobs

from sksparse_nn.solvers._blas_threads import (
    count_blas_threads,
    limit_thread,
    single_threaded_blas,
)

__all__ = ["count_blas_threads", "map_in_order", "single_threaded_blas"]


def map_in_order(function, items, n_jobs=None):
    """Apply a function to each item on threads and yield the results in order.

    Parameters
    ----------
    function : callable
        Called once per item; worth threads only where it leaves the GIL.

    items : sequence
        Taken a few ahead of what is yielded, so that memory stays bounded.

    n_jobs : int or None, default=None
        Number of threads, with scikit-learn's meaning.

    Yields
    ------
    result : object
        What the function returned, in the order of the items.
    """
    n_threads = min(effective_n_jobs(n_jobs), len(items))
    with single_threaded_blas():
        if n_threads <= 1:
            yield from map(function, items)
        else:
            yield from _map_on_threads(function, iter(items), n_threads)


def _map_on_threads(function, items, n_threads):
    """Map on threads and the caller: one thread less to wake, and none only waits."""
    with ThreadPoolExecutor(n_threads - 1, initializer=limit_thread) as pool:

        def submit(n_items):
            return [(x, pool.submit(function, x)) for x in islice(items, n_items)]

        waiting = submit(2 * n_threads)
        try:
            while waiting:
                yield _take_first_result(function, waiting)
                waiting += submit(1)
        finally:
            for _, future in waiting:
                future.cancel()


def _take_first_result(function, waiting):
    """Remove the first task once it is done, and meanwhile run tasks not yet begun."""
    while not waiting[0][1].done():
        begun_by_nobody = (n for n, (_, task) in enumerate(waiting) if task.cancel())
        place = next(begun_by_nobody, None)
        if place is None:
            break
        item, _ = waiting[place]
        waiting[place] = item, _complete(function(item))
    return waiting.pop(0)[1].result()


def _complete(result):
    future = Future()
    future.set_result(result)
    return future
