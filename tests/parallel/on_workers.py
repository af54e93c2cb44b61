"""What workers of the tests run; apart, as they import the module that it is in."""

import os
import signal

import numpy as np
from threadpoolctl import threadpool_info


def load_rows(number, folder):
    """Load a chunk; the worker that loads the last one for the second time is killed.

    It then knows sums of other chunks, which are lost with it.
    """
    marks = [folder / "loaded", folder / "killed"]
    if number == 5 and not marks[1].exists():
        is_second = marks[0].exists()
        marks[is_second].touch()
        if is_second:
            os.kill(os.getpid(), signal.SIGKILL)
    return np.load(folder / f"{number}.npy")


class CountsThreads:
    """A transformer that says how many threads BLAS has where it works."""

    def transform(self, X):
        counts = [
            x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"
        ]
        return np.full((len(X), 1), max(counts, default=1))
