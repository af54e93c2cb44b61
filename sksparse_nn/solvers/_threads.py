"""Blocks of work on a few threads, with BLAS held to one thread meanwhile.

BLAS and our own threads would otherwise compete for the same cores: the workers of a
threaded BLAS keep spinning for a while after each call.
"""

from concurrent.futures import Future, ThreadPoolExecutor
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


def blas_threads():
    """Tell how many threads BLAS takes, as its user or a caller has set it.

    Returns
    -------
    n_threads : int
        The most that a library takes; one if there is none.
    """
    found = _controller().select(user_api="blas").lib_controllers
    return max((library.num_threads for library in found), default=1)


def map_in_order(function, items, n_jobs=None):
    """Apply a function to each item on threads and yield the results in order.

    Parameters
    ----------
    function : callable
        Called once an item; worth threads only where it leaves the GIL.

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
            yield from _on_threads(function, iter(items), n_threads)


def _on_threads(function, items, n_threads):
    """Let the caller work too: one thread less to wake, and none that only waits."""
    with ThreadPoolExecutor(n_threads - 1) as pool:

        def submit(n_items):
            return [(x, pool.submit(function, x)) for x in islice(items, n_items)]

        waiting = submit(2 * n_threads)
        try:
            while waiting:
                yield _first_result(function, waiting)
                waiting += submit(1)
        finally:
            for _, future in waiting:
                future.cancel()


def _first_result(function, waiting):
    """Take the first task off a list once it is done, doing what nobody has begun."""
    while not waiting[0][1].done():
        begun_by_nobody = (n for n, (_, task) in enumerate(waiting) if task.cancel())
        place = next(begun_by_nobody, None)
        if place is None:
            break
        item, _ = waiting[place]
        waiting[place] = item, _done(function(item))
    return waiting.pop(0)[1].result()


def _done(result):
    future = Future()
    future.set_result(result)
    return future
