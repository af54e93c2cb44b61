"""Online dictionary learning on mini-batches, with forgetting."""

from dataclasses import dataclass
from typing import ClassVar

from sksparse_nn.solvers._threads import single_threaded_blas
from sksparse_nn.solvers.dictionary._base import code_rows
from sksparse_nn.solvers.dictionary._streaming import StreamingLearner
from sksparse_nn.solvers.dictionary._summing import SummingLearner
from sksparse_nn.solvers.dictionary._update import update_dictionary

_KEPT_USE = 0.9  # few mini-batches say too little about who uses an atom

# Of an epoch over chunks of rows, whose results have to be brought together each time.
_MOST_STEPS = 16


@dataclass
class OnlineLearner(SummingLearner, StreamingLearner):
    """Stochastic approximation: code a mini-batch, then move the atoms once.

    Parameters
    ----------
    batch_size : int, default=512
        Rows per mini-batch.

    shuffle : bool, default=True
        Whether an epoch takes the rows in random order.

    forgetting : float, default=8.0
        Mini-batch i of t counts as (i / t) ** forgetting: early codes belong to atoms
        that have moved since.

    positive_dict : bool, default=False
        Whether atoms must not have entries below zero.

    n_jobs : int or None, default=None
        Threads that code.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro (2010), Online learning for matrix
    factorization and sparse coding. JMLR 11.
    """

    forgetting: float = 8.0
    positive_dict: bool = False
    n_jobs: int | None = None

    heeds_penalty: ClassVar[bool] = True

    def count_steps(self, n_rows):
        return min(_MOST_STEPS, -(-n_rows // self.batch_size))

    def step(self, coder, progress, X, weights, *, start=None, n_batches=None):
        self.forget(progress, n_batches)
        kept = [] if coder.warm_starts and n_batches is not None else None
        seen = code_rows(
            coder,
            progress,
            X,
            weights,
            n_jobs=self.n_jobs,
            keep=None if kept is None else kept.append,
            start=start,
        )
        progress.n_batches += 1
        self.move(progress, seen)
        return kept

    def forget(self, progress, n_steps=None):
        progress.statistics.forget(*self._compute_decay(progress.n_batches, n_steps))

    def move(self, progress, seen):
        with single_threaded_blas():
            progress.replace_idle(seen, positive=self.positive_dict)
            update_dictionary(
                progress.dictionary, progress.statistics, positive=self.positive_dict
            )

    def _compute_decay(self, n_seen, n_batches):
        """Return what the next mini-batch leaves of the products, and of the use."""
        kept = n_seen / (n_seen + self.forgetting) if n_seen else 1.0
        old = n_batches is not None and n_seen >= n_batches
        most = 1 - 1 / n_batches if old else 1.0  # no older than an epoch
        return min(kept, most), min(max(kept, _KEPT_USE), most)
