"""How a coder learns keys and values from chunks of samples, wherever these are."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn._callbacks import no_task
from sksparse_nn._rounds import Draw, Round, Survey, allot, make_checker
from sksparse_nn.solvers.simplex import (
    KEYS,
    AttentionState,
    Keys,
    Learnt,
    count_sample_rows,
    sum_over,
)

_MAX_SEED = np.iinfo(np.int32).max


class AttentionRounds:
    """The rounds of :class:`SparseAttentionCoder`, whose parameters it reads."""

    def _fit_in_rounds(self):
        self._check_rounds()
        known = yield Survey(self)
        vars(self).update(known.learnt)
        checker, rng = make_checker(self, known), check_random_state(self.random_state)
        wanted = allot(known.rows, count_sample_rows(self._count_keys()), rng)
        drawn = yield Draw(checker, wanted, rng.randint(_MAX_SEED))
        problem = self._problem(drawn.X, drawn.weights, no_task)
        learnt = Learnt(problem.first_keys())
        yield from _make_passes(self._learner().passes(problem, learnt), checker)
        coding = problem.choose_coding(Keys.of(learnt.keys))
        sums = yield Summing(checker, coding, learnt.keys)
        self._store(AttentionState.of_sums(learnt, coding.temperature, sums))

    def _check_rounds(self):
        self._check_together()
        if not self._learner().adds_up:
            able = [name for name in KEYS if KEYS[name].adds_up]
            raise ValueError(
                f"Chunks of samples need one of the keys {able}, which follow from "
                f"sums over codes. Got keys={self.keys!r}; set another one, or fit a "
                "part of the data that fits in memory."
            )


def _make_passes(passes, checker):
    """Turn passes over the rows of a problem into rounds."""
    sums = None
    with suppress(StopIteration):
        while True:
            coding, keys = passes.send(sums)
            sums = yield Summing(checker, coding, keys.given)


@dataclass(frozen=True)
class Summing(Round):
    """Codes all samples with given keys, and sums over the codes.

    Attributes
    ----------
    checker : SparseAttentionCoder
        Checks the samples.

    coding : Nearest, Step or Converged
        Method of coding.

    points : ndarray of shape (n_keys, n_features)
        The keys.
    """

    checker: object
    coding: object
    points: np.ndarray

    def read(self, X, y, sample_weight, number):
        X, weights = self.checker._check_samples(X, sample_weight, reset=False)
        if X.dtype != self.points.dtype:
            X = X[:].astype(self.points.dtype)
        keys, n_jobs = Keys.of(self.points), self.checker.n_jobs
        return sum_over(self.coding, keys, X, weights, n_jobs)
