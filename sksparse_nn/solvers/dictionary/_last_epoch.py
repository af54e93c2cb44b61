"""The last epoch that is whole, for a fit that ends in the midst of the next."""

import numpy as np

from sksparse_nn.solvers.dictionary._base import Progress


class LastEpoch:
    """What the epochs that are done have taught.

    Parameters
    ----------
    progress : Progress
        Written over by the next epoch; until then nothing is copied.
    """

    def __init__(self, progress):
        self._progress = progress
        self._copy = {}
        self._done = None

    @property
    def history(self):
        """The record of the epochs that are done; None before the first."""
        return self._done and self._done[1]

    def begin(self):
        """Keep a copy, as an epoch begins."""
        if self._done is None:
            return
        for name, value in self._progress.state().items():
            self._copy[name] = self._copied(name, value)
        self._done = self._copy, self.history

    def end(self, history):
        """Take the epoch for done."""
        self._done = None, history

    def _copied(self, name, value):
        """Copy into the former copy, as it is as large as the dictionary.

        The sums over rows are kept in the type of the atoms: only what is learnt after
        an interrupted fit feels the rounding.
        """
        if not isinstance(value, np.ndarray):
            return value
        dtype = self._progress.dictionary.dtype if name == "rows" else value.dtype
        if name not in self._copy:
            return value.astype(dtype)
        np.copyto(self._copy[name], value, casting="same_kind")
        return self._copy[name]

    def result(self):
        """Return the progress when the last epoch was done, and the record."""
        copy, history = self._done
        if copy is None:
            return self._progress, history
        return Progress.restore(copy | {"rows": copy["rows"].astype(float)}), history
