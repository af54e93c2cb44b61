"""What learning knows of the rows so far: the state of fits, streams and merges."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from sksparse_nn._picked_rows import PickedRows
from sksparse_nn._rounds import stack_rows
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._state import (
    State,
    check_alike,
    prefix_names,
    rows_from_arrays,
    rows_to_arrays,
    split_prefixed,
)
from sksparse_nn.solvers.dictionary._base import AbstractLearner, Progress

_WHOLE, _WAITING = "whole_", "waiting_"


@dataclass(frozen=True)
class Plan:
    """How rows that come in pieces are learnt from.

    Parameters
    ----------
    learner : AbstractLearner
        Moves the atoms.

    make_coder : callable
        Takes the number of atoms, and returns the coder while learning.

    count_first : callable or None, default=None
        Takes rows, and returns how many of them initial atoms come from. None where
        there are atoms.

    begin : callable or None, default=None
        Takes these rows, their weights and a seed, and returns the initial atoms.
    """

    learner: AbstractLearner
    make_coder: Callable
    count_first: Callable | None = None
    begin: Callable | None = None


@dataclass(frozen=True)
class DictionaryState(State):
    """What is known of a dictionary, and the rows after the last whole mini-batch.

    Parameters
    ----------
    reached : Progress or None, default=None
        As if the rows ended here; None before any.

    whole : Progress or None, default=None
        Of the whole mini-batches of a stream; None until the rows suffice for initial
        atoms.

    X : ndarray or CSR matrix of shape (n_rows, n_features) or None, default=None
        Rows that wait for a whole mini-batch.

    weights : ndarray of shape (n_rows,) or None, default=None
        Their weights.

    seed : int or None, default=None
        Of the initial atoms; None where no stream runs.

    plan : Plan or None, default=None
        The context; None suffices for reading.
    """

    reached: Progress | None = None
    whole: Progress | None = None
    X: np.ndarray | sparse.csr_matrix | None = None
    weights: np.ndarray | None = None
    seed: int | None = None
    plan: Plan | None = None

    @property
    def context(self):
        """The plan."""  # numpydoc ignore=RT01
        return self.plan

    @property
    def shape(self):
        """Number of atoms and of features."""  # numpydoc ignore=RT01
        return self.reached.dictionary.shape

    @property
    def is_stream(self):
        """Whether the last rows came in pieces."""  # numpydoc ignore=RT01
        return self.seed is not None

    def begin_stream(self, seed):
        """Return the state ahead of the first piece of a stream.

        Parameters
        ----------
        seed : int
            Of the initial atoms, where there are none yet.

        Returns
        -------
        state : DictionaryState
            New.
        """
        begun = replace(self, whole=self.reached, X=None, weights=None, seed=seed)
        return begun.start_epoch()

    def start_epoch(self):
        """Return the state of a stream whose further rows are another epoch.

        Returns
        -------
        state : DictionaryState
            New.
        """
        whole = self.whole and self.whole.copy()
        if whole is not None:
            whole.start_epoch()
        return replace(self, whole=whole)

    def add(self, X, weights, n_jobs=None):
        """Return the state after further rows, of a stream that has begun.

        Parameters
        ----------
        X : ndarray, CSR matrix or PickedRows of shape (n_rows, n_features)
            Rows.

        weights : ndarray of shape (n_rows,)
            Their weights.

        n_jobs : Ignored
            The learner has its own.

        Returns
        -------
        state : DictionaryState
            Rows are learnt from for good where they fill mini-batches.
        """
        X, weights = self._stack(X, weights)
        whole, is_enough = self._start(X, weights)
        learner = self.plan.learner
        algorithms = self.plan.make_coder(len(whole.dictionary)), learner
        size = learner.batch_size
        n_whole = (len(weights) - len(weights) % size) if is_enough else 0
        whole = _learn(whole, X[:n_whole], weights[:n_whole], *algorithms)
        # Few rows; the user may write over those that came.
        X, weights = X[n_whole:].copy(), weights[n_whole:].copy()
        return replace(
            self,
            reached=_learn(whole, X, weights, *algorithms),
            whole=whole if is_enough else None,
            X=X,
            weights=weights,
        )

    def _stack(self, X, weights):
        if isinstance(X, PickedRows):
            X = X.copy()  # few, and kept
        if self.X is None:
            return X, weights
        return stack_rows(self.X, X), np.concatenate([self.weights, weights])

    def _start(self, X, weights):
        """Return where to start, and whether the rows suffice for initial atoms."""
        if self.whole is not None:
            return self.whole, True
        n_first = self.plan.count_first(X)
        atoms = self.plan.begin(X[:n_first], weights[:n_first], self.seed)
        return Progress.begin(atoms), len(weights) >= n_first

    def merge(self, other):
        """Return the state of the rows of both; atoms are matched one to one.

        Parameters
        ----------
        other : DictionaryState
            Of a dictionary of the same shape.

        Returns
        -------
        state : DictionaryState
            In the order of these atoms. No stream runs in it.
        """
        check_alike(self, other)
        both = self.plan.learner.join(self.reached, other.reached)
        return DictionaryState(both, plan=self.plan)

    def arrays(self):
        """Return all but the plan, in types that any persistence knows."""
        whole = {} if self.whole is None else self.whole.arrays()
        waiting = rows_to_arrays(self.X) | {"weights": self.weights}
        return {
            **self.reached.arrays(),
            **prefix_names(_WHOLE, whole),
            **prefix_names(_WAITING, waiting),
            "seed": self.seed,
        }

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore a state with a plan from `arrays`."""
        whole, others = split_prefixed(_WHOLE, arrays)
        waiting, reached = split_prefixed(_WAITING, others)
        seed = reached.pop("seed")
        return cls(
            Progress.from_arrays(reached),
            Progress.from_arrays(whole) if whole else None,
            rows_from_arrays(waiting),
            waiting["weights"],
            seed,
            context,
        )


def _learn(progress, X, weights, coder, learner):
    """Return progress after mini-batches, on a copy where there are any."""
    if not len(weights):
        return progress
    progress = progress.copy()
    for batch in block_slices(len(weights), learner.batch_size):
        learner.step(coder, progress, X[batch], weights[batch])
    return progress
