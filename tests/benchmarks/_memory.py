"""How much memory a call takes beyond what is there before it."""

import ctypes
import ctypes.util
import gc
import threading
import time


def peak_megabytes(call):
    """Return the most that the process grew by while a call ran, as a thread saw it."""
    gc.collect()
    _give_back()
    before, seen, is_done = _resident(), [0.0], threading.Event()

    def watch():
        while not is_done.is_set():
            seen.append(_resident())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        call()
    finally:
        is_done.set()
        watcher.join()
    return max(seen) - before


def _give_back():
    """Return what earlier calls freed to the system, or a call would grow into it."""
    libc = ctypes.CDLL(ctypes.util.find_library("c"))
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def _resident():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1e3
