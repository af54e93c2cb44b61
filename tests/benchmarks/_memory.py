"""How much memory a call takes beyond what is there before it."""

import gc
import threading
import time


def peak_megabytes(call):
    """Return the most that the process grew by while a call ran, as a thread saw it."""
    gc.collect()
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


def _resident():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1e3
