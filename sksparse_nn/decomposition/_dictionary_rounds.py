"""How a coder learns its dictionary from chunks of samples, wherever these are."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn._callbacks import no_task
from sksparse_nn._rounds import Draw, Round, Survey, allot, make_checker
from sksparse_nn._validation import warn_once
from sksparse_nn.decomposition._coder_algorithms import make_patience
from sksparse_nn.decomposition._dictionary_learning import measure_level
from sksparse_nn.solvers.coding import AbstractCoder
from sksparse_nn.solvers.dictionary import (
    LEARNERS,
    CodedSums,
    DictionaryState,
    History,
    Progress,
)

_MAX_SEED = np.iinfo(np.int32).max

# Samples that the first dictionary is learnt from: per atom, and at least.
_FIRST_AN_ATOM = 40
_FIRST = 10_000

# From so many chunks per step on, a step takes some chunks instead of some of each.
_CHUNKS_A_STEP = 4


class DictionaryRounds:
    """The rounds of :class:`SparseDictionaryCoder`, whose parameters it reads."""

    def _fit_in_rounds(self):
        self._check_rounds()
        known = yield Survey(self, measure_level)
        vars(self).update(known.learnt)
        checker = make_checker(self, known)
        rng = check_random_state(self.random_state)
        n_first = max(_FIRST, _FIRST_AN_ATOM * self._count_atoms_of_width())
        wanted = allot(known.rows, n_first, rng)
        drawn = yield Draw(checker, wanted, rng.randint(_MAX_SEED))
        self._begin_rounds(drawn, known.level, rng)
        if self.learner is not None:
            yield from self._run_rounds(known, checker, rng)
            self._fit_alpha(self.components_, drawn.X, drawn.weights)
        warn_once(*self._beyond_the_data(drawn.X, drawn.weights))

    def _check_rounds(self):
        self._check_choices()
        learner = self._learner()
        if learner is not None and not learner.adds_up:
            able = [name for name in LEARNERS if LEARNERS[name].adds_up]
            raise ValueError(
                f"Chunks of samples need one of the learners {able} or None, whose "
                f"steps follow from sums over codes. Got learner={self.learner!r}; set "
                "another one, or fit a part of the data that fits in memory."
            )
        if self.early_stopping and self.validation_fraction is not None:
            raise ValueError(
                "From chunks of samples, none are held out: early_stopping=True needs "
                "validation_fraction=None, and stops by the objective. Got "
                f"validation_fraction={self.validation_fraction}."
            )

    def _count_atoms_of_width(self):
        return self._count_atoms(np.empty((0, self.n_features_in_), np.float32))

    def _begin_rounds(self, drawn, level, rng):
        """Learn from the samples that were drawn, as `fit` does."""
        X, weights = drawn.X, drawn.weights
        if self.learner is None:
            self._keep_dictionary(X, weights, level)
        else:
            start = self._start(X, weights, rng, level)
            self._learn(no_task, start, X, weights, rng)

    def _run_rounds(self, known, checker, rng):
        learner, rule = self._learner(), make_patience(self.get_params(deep=False))
        # Without the sums of the first samples: steps over all begin as epochs do.
        progress = Progress.begin(self.components_.copy())
        cut = Cut.choose(known.rows, learner, rng)
        coder = self._learning_coder(len(progress.dictionary))
        history, report = History(), self._report()
        for _ in range(self.max_epochs):
            progress.start_epoch()
            for step in rng.permutation(cut.n_steps):
                sums = yield Coding(checker, coder, progress.dictionary, cut, int(step))
                if sums is not None:
                    learner.forget(progress, cut.n_steps)
                    learner.move(progress, sums.add_to(progress))
            history.add(progress)
            report(history)
            if rule and rule.is_over(history["objective"]):
                break
        self._store(DictionaryState(progress), history.as_dict())


@dataclass(frozen=True)
class Cut:
    """Which samples each step of an epoch takes.

    Attributes
    ----------
    n_steps : int
        Steps per epoch.

    takes_chunks : bool
        Whether a step takes all of some chunks instead of some of each.

    seed : int
        Of the order in which samples of a chunk are taken.
    """

    n_steps: int
    takes_chunks: bool
    seed: int

    @classmethod
    def choose(cls, rows, learner, rng):
        """Choose by the number of chunks.

        Parameters
        ----------
        rows : dict of int to int
            Samples of each chunk, by its place.

        learner : SummingLearner
            Says how many steps there are.

        rng : RandomState instance
            Source of the seed.

        Returns
        -------
        cut : Cut
            For all epochs.
        """
        n_steps = learner.count_steps(sum(rows.values()))
        takes_chunks = len(rows) >= _CHUNKS_A_STEP * n_steps
        return cls(n_steps, takes_chunks, rng.randint(_MAX_SEED))

    def has(self, step, number):
        """Return whether a step takes anything of a chunk.

        Parameters
        ----------
        step, number : int
            Step of an epoch, and place of the chunk.

        Returns
        -------
        has : bool
            Known before the chunk is loaded.
        """
        return not self.takes_chunks or number % self.n_steps == step

    def pick(self, step, number, n_rows):
        """Return the rows of a chunk that a step takes.

        Parameters
        ----------
        step, number : int
            Step of an epoch, and place of the chunk.

        n_rows : int
            Samples of the chunk.

        Returns
        -------
        rows : ndarray of int
            In ascending order.
        """
        if self.takes_chunks or self.n_steps == 1:
            return np.arange(n_rows)
        order = np.random.RandomState([self.seed, number]).permutation(n_rows)
        # So that small chunks do not all give their last row to one step.
        return np.sort(order[(step + number) % self.n_steps :: self.n_steps])


@dataclass(frozen=True)
class Coding(Round):
    """Codes the samples of a step, and sums over the codes.

    Attributes
    ----------
    checker : SparseDictionaryCoder
        Checks the samples.

    coder : AbstractCoder
        Codes them.

    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms.

    cut : Cut
        Which samples are taken.

    step : int
        Of an epoch.
    """

    checker: object
    coder: AbstractCoder
    dictionary: np.ndarray
    cut: Cut
    step: int

    def takes(self, number):
        return self.cut.has(self.step, number)

    def read(self, X, y, sample_weight, number):
        X, weights = self.checker._check_samples(X, sample_weight, reset=False)
        rows = self.cut.pick(self.step, number, len(weights))
        if not len(rows):
            return None
        X = X[rows].astype(self.dictionary.dtype, copy=False)
        n_jobs = self.checker.n_jobs
        return CodedSums.of_rows(self.coder, self.dictionary, X, weights[rows], n_jobs)
