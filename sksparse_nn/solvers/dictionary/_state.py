"""What learning knows of the rows so far: the state of fits, streams and merges."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from sksparse_nn._picked_rows import PickedRows
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers._state import State
from sksparse_nn.solvers.dictionary._base import Progress
from sksparse_nn.solvers.dictionary._merge import merge_dictionaries

_WHOLE = "whole_"


@dataclass(frozen=True)
class Plan:
    """How rows that come in pieces are learnt from.

    Parameters
    ----------
    count_first : callable
        Takes rows and the learner, and returns how many rows initial atoms come from.

    begin : callable
        Takes these rows, their weights and a seed, and returns the initial atoms.

    algorithms : callable
        Takes the number of atoms, and returns the coder and the learner.

    positive : bool
        Whether atoms must not have entries below zero.
    """

    count_first: Callable
    begin: Callable
    algorithms: Callable
    positive: bool


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
        whole = self.reached and self.reached.copy()
        if whole is not None:
            whole.start_epoch()
        return replace(self, whole=whole, X=None, weights=None, seed=seed)

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
        whole, algorithms, is_enough = self._prepare(X, weights)
        size = algorithms[1].batch_size
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
        return _stack_below(self.X, X), np.concatenate([self.weights, weights])

    def _prepare(self, X, weights):
        """Return where to start, the algorithms, and whether the rows suffice."""
        plan = self.plan
        if self.whole is not None:
            return self.whole, plan.algorithms(len(self.whole.dictionary)), True
        n_first = plan.count_first(X)
        atoms = plan.begin(X[:n_first], weights[:n_first], self.seed)
        is_enough = len(weights) >= n_first
        return Progress.begin(atoms), plan.algorithms(len(atoms)), is_enough

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
        one, two = self.reached, other.reached
        dictionary, statistics, order = merge_dictionaries(
            one.dictionary,
            one.statistics,
            two.dictionary.astype(one.dictionary.dtype),
            two.statistics,
            positive=self.plan.positive,
        )
        changes = {
            "usage": one.usage + two.usage[order],
            "objective": one.objective + two.objective,
            "weight": one.weight + two.weight,
            "n_batches": one.n_batches + two.n_batches,
        }
        sums = {"A": statistics.A, "B": statistics.B, "used": statistics.usage}
        both = one.arrays() | changes | sums | {"dictionary": dictionary}
        return DictionaryState(Progress.from_arrays(both), plan=self.plan)

    def arrays(self):
        """Return all but the plan, in types that any persistence knows."""
        whole = {} if self.whole is None else self.whole.arrays()
        return {
            **self.reached.arrays(),
            **{_WHOLE + name: value for name, value in whole.items()},
            "X": self.X,
            "weights": self.weights,
            "seed": self.seed,
        }

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore a state with a plan from `arrays`."""
        own = {name: arrays[name] for name in ("X", "weights", "seed")}
        of_whole = {
            name.removeprefix(_WHOLE): value
            for name, value in arrays.items()
            if name.startswith(_WHOLE)
        }
        of_reached = {
            name: value
            for name, value in arrays.items()
            if name not in own and not name.startswith(_WHOLE)
        }
        return cls(
            Progress.from_arrays(of_reached),
            Progress.from_arrays(of_whole) if of_whole else None,
            plan=context,
            **own,
        )


def _learn(progress, X, weights, coder, learner):
    """Return progress after mini-batches, on a copy where there are any."""
    if not len(weights):
        return progress
    progress = progress.copy()
    for batch in block_slices(len(weights), learner.batch_size):
        learner.step(coder, progress, X[batch], weights[batch])
    return progress


def _stack_below(X, more):
    """Stack rows, in the layout of the later and in the type of the earlier ones."""
    more = more.astype(X.dtype, copy=False)
    if sparse.issparse(more):
        return sparse.vstack([sparse.csr_matrix(X), more], format="csr")
    return np.vstack([X.toarray() if sparse.issparse(X) else X, more])
