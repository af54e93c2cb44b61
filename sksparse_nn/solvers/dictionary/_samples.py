"""Rows to learn from, and what one epoch over them keeps for the next."""

from dataclasses import dataclass, field

import numpy as np

from sksparse_nn._read_ahead import ReadAhead
from sksparse_nn._shuffled_rows import count_window, shuffle_rows
from sksparse_nn.solvers._rows import block_slices

_MOST_KEPT = 2**23  # nonzero codes


@dataclass
class Samples:
    """Weighted rows, cut into mini-batches once.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Their weights.

    batches : list of ndarray of int, default=[]
        The rows of each mini-batch, once `cut` has drawn them.

    codes : dict of int to list, default={}
        The codes that the rows of a mini-batch had in the last epoch, as `keep` was
        given them; of some mini-batches only, where there are many.
    """

    X: object
    weights: np.ndarray
    batches: list = field(default_factory=list)
    codes: dict = field(default_factory=dict)

    def __post_init__(self):
        self._n_kept = 0

    def cut(self, size, rng=None):
        """Cut the rows into mini-batches, unless already done.

        Parameters
        ----------
        size : int
            Rows per mini-batch.

        rng : RandomState instance or None, default=None
            Shuffles the rows; None takes them as they come.
        """
        if self.batches:
            return
        n_rows = len(self.weights)
        order = np.arange(n_rows) if rng is None else shuffle_rows(self.X, n_rows, rng)
        # In ascending order within, so that a file is read forwards.
        self.batches = [np.sort(order[which]) for which in block_slices(n_rows, size)]

    def draw_order(self, rng=None):
        """Return an order of the mini-batches.

        Parameters
        ----------
        rng : RandomState instance or None, default=None
            Shuffles them; None takes them as they come.

        Returns
        -------
        order : ndarray of int
            Those of a window of rows on disk stay together.
        """
        n_batches = len(self.batches)
        if rng is None:
            return np.arange(n_batches)
        n_rows = len(self.weights)
        window = count_window(self.X, n_rows)
        if window >= n_rows:
            return rng.permutation(n_batches)
        n_together = max(1, window // len(self.batches[0]))
        firsts = rng.permutation(range(0, n_batches, n_together))
        groups = (np.arange(i, min(i + n_together, n_batches)) for i in firsts)
        return np.concatenate([rng.permutation(group) for group in groups])

    def keep(self, number, codes):
        """Keep the codes of a mini-batch for the next epoch, while few are kept.

        They only save time, and would otherwise take more and more memory with the
        number of rows.
        """
        self._n_kept -= _count(self.codes.pop(number, None))
        if self._n_kept + _count(codes) <= _MOST_KEPT:
            self._n_kept += _count(codes)
            self.codes[number] = codes

    def read(self, rng=None):
        """Yield the mini-batches of an epoch.

        Parameters
        ----------
        rng : RandomState instance or None, default=None
            Shuffles them; None takes them as they come.

        Yields
        ------
        number : int
            Place of the mini-batch in `batches`.

        X : ndarray or CSR matrix of shape (n_rows, n_features)
            Its rows.

        weights : ndarray of shape (n_rows,)
            Their weights.
        """
        with ReadAhead(self.X) as ahead:
            for number in self.draw_order(rng):
                rows = self.batches[number]
                ahead.announce(rows)
                yield number, self.X[rows], self.weights[rows]


def _count(codes):
    """Return the number of nonzeros of a list of compressed codes, or of None."""
    return sum(len(values) for *_, values in codes or ())
