"""Learners that move atoms after each mini-batch, or as rows come."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from sksparse_nn.solvers.dictionary._base import AbstractLearner


@dataclass
class StreamingLearner(AbstractLearner):
    """Algorithm that moves atoms after each mini-batch.

    Parameters
    ----------
    batch_size : int, default=512
        Rows per mini-batch.

    shuffle : bool, default=True
        Whether an epoch takes the rows in random order.
    """

    batch_size: int = 512
    shuffle: bool = True

    streams: ClassVar[bool] = True

    def epoch(self, coder, progress, samples, rng=None):
        rng = rng if self.shuffle else None
        samples.cut(self.batch_size, rng)
        n_batches = len(samples.batches)
        progress.start_epoch()
        for number, X, weights in samples.read(rng):
            codes = self.step(
                coder,
                progress,
                X,
                weights,
                start=samples.codes.get(number),
                n_batches=n_batches,
            )
            samples.keep(number, codes)

    @abstractmethod
    def step(self, coder, progress, X, weights, *, start=None, n_batches=None):
        """Code one mini-batch and move the atoms.

        Parameters
        ----------
        coder, progress
            As in `epoch`.

        X : ndarray or CSR matrix of shape (n_rows, n_features)
            Rows.

        weights : ndarray of shape (n_rows,)
            Their weights.

        start : list or None, default=None
            Codes that the rows had before.

        n_batches : int or None, default=None
            Mini-batches per epoch; None for a stream, which has no end.

        Returns
        -------
        codes : list or None
            The codes, where the coder can start from them.
        """
