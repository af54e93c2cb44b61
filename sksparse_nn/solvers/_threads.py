"""Blocks of work on a few threads, with BLAS held to one thread meanwhile.

BLAS and our own threads would otherwise compete for the same cores: the workers of a
threaded BLAS keep spinning for a while after each call.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import islice
from threading import Lock

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController


@cache
def _controller():
    return ThreadpoolController()


class _SingleThreadedBlas:
    """A limit shared by all threads of the process: first in sets, last out restores.

    Without the count, two calls that overlap would each restore what they found, and
    the later one would leave the limit of the earlier behind for good.
    """

    def __init__(self):
        self._lock = Lock()
        self._holders = 0
        self._limiter = None

    @contextmanager
    def __call__(self):
        with self._lock:
            if self._holders == 0:
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if self._holders == 0:
                    self._limiter.restore_original_limits()


single_threaded_blas = _SingleThreadedBlas()


def map_in_order(function, items, n_jobs=None):
    """Apply a function to each item on threads and yield the results in order.

    Parameters
    ----------
    function : callable
        Called once an item; worth threads only where it leaves the GIL.

    items : iterable
        Taken a few ahead of what is yielded, so that memory stays bounded.

    n_jobs : int or None, default=None
        Number of threads, with scikit-learn's meaning.

    Yields
    ------
    result : object
        What the function returned, in the order of the items.
    """
    n_threads = effective_n_jobs(n_jobs)
    with single_threaded_blas():
        if n_threads == 1:
            yield from map(function, items)
        else:
            yield from _on_threads(function, iter(items), n_threads)


def _on_threads(function, items, n_threads):
    with ThreadPoolExecutor(n_threads) as pool:
        waiting = [pool.submit(function, x) for x in islice(items, 2 * n_threads)]
        try:
            while waiting:
                yield waiting.pop(0).result()
                waiting += [pool.submit(function, x) for x in islice(items, 1)]
        finally:
            for future in waiting:
                future.cancel()
