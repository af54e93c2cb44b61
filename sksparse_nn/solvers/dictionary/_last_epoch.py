"""The last complete epoch, for a fit that is interrupted during the next."""

import numpy as np

from sksparse_nn.solvers.dictionary._base import Progress


class LastEpoch:
    """State at the end of the last complete epoch.

    Parameters
    ----------
    progress : Progress
        Overwritten by the next epoch; until then nothing is copied.
    """

    def __init__(self, progress):
        self._progress = progress
        self._copy = {}
        self._unit = 1.0
        self._done = None

    @property
    def history(self):
        """The record of the epochs that are done; None before the first."""
        return self._done and self._done[1]

    def begin(self):
        """Keep a copy, as an epoch begins."""
        if self._done is None:
            return
        state = self._progress.arrays()
        self._unit = _choose_unit(state["B"])
        for name, value in state.items():
            self._copy[name] = self._copy_value(name, value)
        self._done = self._copy, self.history

    def end(self, history):
        """Mark the epoch as complete."""
        self._done = None, history

    def _copy_value(self, name, value):
        """Copy into the former copy, as it is as large as the dictionary.

        The sums over rows are kept in the type of the atoms: only what is learnt after
        an interrupted fit feels the rounding.
        """
        if not isinstance(value, np.ndarray):
            return value
        dtype = self._progress.dictionary.dtype if name == "B" else value.dtype
        copy = self._copy.get(name)
        copy = np.empty(value.shape, dtype) if copy is None else copy
        unit = self._unit if name == "B" else 1.0
        return np.divide(value, unit, out=copy, casting="same_kind")

    def result(self):
        """Return the progress at the end of the last complete epoch, and the record."""
        copy, history = self._done
        if copy is None:
            return self._progress, history
        B = copy["B"].astype(np.float64) * self._unit
        return Progress.from_arrays(copy | {"B": B}), history


def _choose_unit(values):
    """Return a power of two near the largest, so that squares stay within any type."""
    largest = max(values.max(), -values.min())
    return 2.0 ** np.floor(np.log2(largest)) if largest > 0 else 1.0
