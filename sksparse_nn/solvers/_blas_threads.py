"""Number of threads of BLAS, in a process and in those that it forks."""

import os
import sys
import time
from functools import cache
from threading import RLock, get_ident

from threadpoolctl import ThreadpoolController

# Seconds that a fork waits at most for a product of another thread, and between looks.
_PATIENCE, _PAUSE = 5.0, 0.001


class _SingleThreadedBlas:
    """A limit shared by all threads of the process: first in sets, last out restores.

    Without the list of those inside, two calls that overlap would each restore what
    they found, and the later one would leave the limit of the earlier behind for good.
    """

    def __init__(self):
        self._lock = RLock()
        self._threads_inside = []
        self._before = []
        self._before_fork = []

    def __call__(self):
        """Return a context with BLAS held to one thread."""
        return _Inside(self)

    def enter(self):
        """Hold BLAS to one thread, and return what to give to `leave`."""
        with self._lock:
            if not self._threads_inside:
                self._before = _limit(per_thread=False)
            self._threads_inside.append(get_ident())
        return get_ident(), limit_thread()

    def leave(self, thread, before_here):
        """Restore the threads of BLAS, if no other call needs the limit."""
        _restore(before_here)
        with self._lock:
            self._threads_inside.remove(thread)
            if not self._threads_inside:
                _restore(self._before)

    def before_fork(self):
        """Let threads out of products that several threads of BLAS share.

        OpenBLAS ends its threads at a fork, even amid a product. Whoever waits for the
        product then waits for ever, and a child finds a lock taken.
        """
        self._lock.acquire()
        self._before_fork = []
        if _find_other_threads():
            self._before_fork = _limit(per_thread=False)
            _wait_until_others_moved()

    def after_fork_in_parent(self):
        """Restore the limits."""
        _restore(self._before_fork)
        self._lock.release()

    def after_fork_in_child(self):
        """Forget the threads that a child does not have; BLAS keeps one thread."""
        self._threads_inside = [x for x in self._threads_inside if x == get_ident()]
        if not self._threads_inside:
            self._before = []
        self._lock.release()


class _Inside:
    """The context of a call, which costs a single sample less than a generator."""

    __slots__ = "_before", "_limit"

    def __init__(self, limit):
        self._limit = limit

    def __enter__(self):
        self._before = self._limit.enter()

    def __exit__(self, *_):
        self._limit.leave(*self._before)


single_threaded_blas = _SingleThreadedBlas()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=single_threaded_blas.before_fork,
        after_in_parent=single_threaded_blas.after_fork_in_parent,
        after_in_child=single_threaded_blas.after_fork_in_child,
    )


def count_blas_threads():
    """Return the number of threads of BLAS, as set by the user or a caller.

    Returns
    -------
    n_threads : int
        The most that a library takes; one if there is none.
    """
    return max((library.n_threads for library in _find_libraries()), default=1)


def limit_thread():
    """Hold those libraries to one thread whose limit is of the thread that sets it.

    Returns
    -------
    before : list of (library, int)
        The libraries that had more threads, and how many.
    """
    return _limit(per_thread=True)


def _limit(*, per_thread):
    libraries = _find_libraries_by_limit()[per_thread]
    before = [(x, n) for x in libraries if (n := x.n_threads) > 1]
    for library, _ in before:
        library.n_threads = 1
    return before


def _restore(before):
    """Put limits back, except where somebody else has set another meanwhile."""
    for library, n_threads in before:
        if library.n_threads == 1:
            library.n_threads = n_threads


class _Library:
    """A BLAS whose limit can be set, whichever thread has set it before.

    From threadpoolctl 3.8 on, only the first thread that sets a limit of OpenBLAS can
    set it again, and it stays the first after restoring. So OpenBLAS is asked itself,
    unless each thread has its own limit.
    """

    def __init__(self, controller):
        self._get = controller.get_num_threads
        self.is_per_thread = getattr(controller, "threading_layer", None) == "openmp"
        self._set = controller.set_num_threads
        if controller.internal_api == "openblas" and not self.is_per_thread:
            getters = [s for s in controller.check_symbols if "_get_num_threads" in s]
            setters = [s.replace("_get_", "_set_") for s in getters]
            self._get = _find_function(controller.dynlib, getters) or self._get
            self._set = _find_function(controller.dynlib, setters) or self._set

    @property
    def n_threads(self):
        return self._get()

    @n_threads.setter
    def n_threads(self, n_threads):
        self._set(n_threads)


def _find_function(library, names):
    functions = (getattr(library, name, None) for name in names)
    return next(filter(None, functions), None)


@cache
def _find_libraries():
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return [_Library(controller) for controller in found]


@cache
def _find_libraries_by_limit():
    """Return the libraries whose limit is of the process, and those of a thread."""
    libraries = _find_libraries()
    return [[x for x in libraries if x.is_per_thread == kind] for kind in (False, True)]


def _wait_until_others_moved():
    """Wait until each thread in a call of this package has gone on, or left it."""
    before, patience = _find_other_threads().items(), time.monotonic() + _PATIENCE
    while time.monotonic() < patience and before & _find_other_threads().items():
        time.sleep(_PAUSE)


def _find_other_threads():
    """Return where the other threads are that work in calls of this package."""
    frames = sys._current_frames()
    frames.pop(get_ident())
    return {
        thread: (id(frame), frame.f_lasti)
        for thread, frame in frames.items()
        if _is_in_this_package(frame)
    }


def _is_in_this_package(frame):
    """Return whether a frame belongs to this package or its callees, and is no wait."""
    if frame.f_globals.get("__name__") in (__name__, "threading", "queue"):
        return False
    package = __name__.partition(".")[0]
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == package:
            return True
        frame = frame.f_back
    return False
