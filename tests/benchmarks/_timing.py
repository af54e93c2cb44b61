"""Ours and a peer in turn, in one process, compiled before."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np


@dataclass
class Contest:
    """Seconds of both sides.

    Parameters
    ----------
    ours, peer : ndarray of shape (n_rounds,)
        Seconds of each round.
    """

    ours: np.ndarray
    peer: np.ndarray

    @property
    def ratio(self):
        """How many times as fast ours is, by the medians."""
        return float(np.median(self.peer) / np.median(self.ours))

    def row(self, **columns):
        """Return a row of a table: what was measured, medians, spread and ratio."""
        return columns | {
            "ours ms": f"{np.median(self.ours) * 1e3:.3g}",
            "± ms": f"{_spread(self.ours) * 1e3:.2g}",
            "peer ms": f"{np.median(self.peer) * 1e3:.3g}",
            "peer ± ms": f"{_spread(self.peer) * 1e3:.2g}",
            "ratio": f"{self.ratio:.2f}",
        }


def _spread(seconds):
    """Return half the distance between the quartiles."""
    low, high = np.percentile(seconds, [25, 75])
    return (high - low) / 2


def in_turn(ours, peer, n_rounds=7, before=None):
    """Time two callables in turn after a run of each that does not count.

    What is called `before` each round does not count either.
    """
    ours(), peer()
    seconds = []
    for _ in range(n_rounds):
        if before is not None:
            before()
        seconds.append([_seconds(call) for call in (ours, peer)])
    return Contest(*np.transpose(seconds))


def _seconds(call):
    start = perf_counter()
    call()
    return perf_counter() - start
