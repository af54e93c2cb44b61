"""Online dictionary learning on mini-batches, with forgetting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._threads import single_threaded_blas
from sksparse_nn.solvers.dictionary._base import AbstractLearner, code_rows
from sksparse_nn.solvers.dictionary._update import update_dictionary


@dataclass
class OnlineLearner(AbstractLearner):
    """Stochastic approximation: code a mini-batch, then move the atoms once.

    Parameters
    ----------
    batch_size : int, default=512
        Rows a mini-batch.

    forgetting : float, default=0.9
        What a mini-batch leaves of the statistics of earlier ones, at most: an epoch of
        n batches leaves a share of 1 - 1/n a batch, as codes older than an epoch say
        little about the atoms of today.

    positive_dict : bool, default=False
        Whether atoms must not have entries below zero.

    n_jobs : int or None, default=None
        Threads that code.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro (2010), Online learning for matrix
    factorization and sparse coding. JMLR 11.
    """

    batch_size: int = 512
    forgetting: float = 0.9
    positive_dict: bool = False
    n_jobs: int | None = None

    heeds_penalty: ClassVar[bool] = True

    def epoch(self, coder, progress, X, weights, rng=None):
        n_rows = X.shape[0]
        order = np.arange(n_rows) if rng is None else rng.permutation(n_rows)
        batches = block_slices(n_rows, self.batch_size)
        kept = self.forgetting
        if rng is not None:
            kept = min(kept, 1 - 1 / len(batches))
        progress.start_epoch()
        for which in batches:
            # In ascending order, so that a file is read forwards.
            rows = np.sort(order[which])
            self._step(coder, progress, X[rows], weights[rows], kept)

    def _step(self, coder, progress, X, weights, kept):
        progress.statistics.forget(kept)
        seen = code_rows(coder, progress, X, weights, n_jobs=self.n_jobs)
        with single_threaded_blas():
            progress.replace_idle(
                X, seen.errors, seen.norms, seen.gram, positive=self.positive_dict
            )
            update_dictionary(
                progress.dictionary, progress.statistics, positive=self.positive_dict
            )
