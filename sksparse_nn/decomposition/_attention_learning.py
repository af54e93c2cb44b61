"""How a coder learns its keys and values: from all rows, or from rows as they come."""

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn._callbacks import no_task
from sksparse_nn._interrupts import keeps_interrupted
from sksparse_nn._picked_rows import pick
from sksparse_nn._validation import check_finite, check_rows, counting_rows
from sksparse_nn._warnings import warn
from sksparse_nn.solvers.simplex import (
    KEYS,
    MAPPINGS,
    AttentionState,
    Keys,
    Problem,
    Setting,
    fit_values,
    make_coding,
    sum_over,
)
from sksparse_nn.solvers.svd import check_squares

# What is read where keys are learnt, and where codes converge, and its default.
_OF_KEYS = {"max_epochs": 50}
_OF_STEPS = {"max_iter": 2000, "tol": 1e-6}

# Keys where no number of them is given.
_MOST_KEYS = 128


def list_streaming():
    """List the kinds of keys that go on from rows.

    Returns
    -------
    names : list of str
        In the order of the registry.
    """
    return [name for name in KEYS if KEYS[name].streams]


class AttentionLearning:
    """The learning of :class:`SparseAttentionCoder`, whose parameters it reads.

    Fitted attributes are those of the coder. Beside them, `_state` is all that is known
    of keys and values: the arrays of an `AttentionState`.
    """

    def _fit(self, X, sample_weight, task=no_task):
        X = check_rows(self, X, reset=True)
        check_squares(X)
        self._check_together()
        kept, counting, weights = _pick_counting(X, sample_weight)
        problem = self._problem(counting, weights, task)
        learnt = self._learn(problem)
        self._store(AttentionState.begin(problem, learnt))
        if not self._learner().streams:
            del self._state
        vars(self).pop("medoid_indices_", None)
        if learnt.indices is not None:
            at = learnt.indices
            self.medoid_indices_ = at if kept is None else kept[at]

    def _check_samples(self, X, sample_weight, *, reset):
        """Return checked samples of weight above zero, and their weights."""
        X = check_rows(self, X, reset=reset)
        check_squares(X, vanishing=False)
        return _pick_counting(X, sample_weight)[1:]

    def _check_together(self):
        self._learner()
        for name, default in _OF_STEPS.items():
            value = getattr(self, name)
            if not self.iterate and value != default:
                raise ValueError(
                    f"{name} is read with iterate=True only. Got {name}={value!r} and "
                    f"iterate=False; set {name}={default!r} or iterate=True."
                )
        if self.iterate and not self._mapping().projects:
            able = [name for name in MAPPINGS if MAPPINGS[name].projects]
            raise ValueError(
                f"iterate=True needs one of the mappings {able}, which project onto"
                f" the simplex. Got mapping={self.mapping!r}."
            )

    def _problem(self, X, weights, task):
        problem = Problem.draw(
            X,
            weights,
            self._count_keys(),
            check_random_state(self.random_state),
            mapping=self._mapping(),
            n_active=self.n_active,
            converged=self._converged(),
            n_jobs=self.n_jobs,
            report=self._report(task),
        )
        self._warn_of_few_keys(len(problem.start))
        return problem

    def _count_keys(self):
        return self.n_components or _MOST_KEYS

    def _warn_of_few_keys(self, n_keys):
        if self.n_components is not None and n_keys < self.n_components:
            warn(
                f"n_components={self.n_components} is more than the {n_keys} distinct"
                " rows of X. There are as many keys as rows; lower n_components.",
            )
        elif self.n_active is not None and self.n_active > n_keys:
            warn(
                f"n_components={n_keys} keys cannot have n_active={self.n_active}"
                " nonzeros a row. All are nonzero; lower n_active or raise"
                " n_components.",
            )

    def _learn(self, problem):
        def fitted():
            return self._attributes(AttentionState.begin(problem, problem.learnt))

        problem.fitted = fitted
        try:
            return self._learner().learn(problem)
        except KeyboardInterrupt:
            learnt = problem.learnt
            if learnt is None or not self._keeps(learnt):
                raise
            return learnt

    def _keeps(self, learnt):
        return keeps_interrupted(self, len(learnt.history), self.max_epochs)

    def _go_on(self, X, sample_weight):
        X = check_rows(self, X, reset=False)
        check_squares(X, vanishing=False)
        X = self._take_type_of_keys(X)
        self._check_together()
        n_keys = len(self.keys_)
        if self.n_components is not None and self.n_components < n_keys:
            raise ValueError(
                f"partial_fit goes on with the {n_keys} keys that are there. Got"
                f" n_components={self.n_components}; fit anew, or set it back."
            )
        state = self._known_state(self._setting())
        _, counting, weights = _pick_counting(X, sample_weight)
        self._store(state.add(counting, weights, n_jobs=self.n_jobs))

    def _take_type_of_keys(self, X):
        if X.dtype == self.keys_.dtype:
            return X
        with np.errstate(over="ignore"):  # the check says so
            X = X.astype(self.keys_.dtype)
        check_finite(self, X)
        return X

    def _setting(self):
        return Setting(
            self._learner(),
            check_random_state(self.random_state),
            self._mapping(),
            self.n_active,
            converged=self._converged(),
            report=self._report(),
        )

    def _known_state(self, setting=None):
        if not hasattr(self, "_state"):
            raise ValueError(
                "Rows can be added only where fit kept what keys and values were"
                f" found from, with one of the keys {list_streaming()}. Got"
                f" keys={self.keys!r}, or a fit before they were set; fit anew with"
                " one of these."
            )
        return AttentionState.from_arrays(self._state, setting)

    def _store(self, state):
        vars(self).update(self._attributes(state))

    def _attributes(self, state):
        keys = Keys.of(state.keys)
        return {
            "keys_": state.keys,
            "components_": fit_values(keys, state.sums, self.values_reg),
            "temperature_": state.temperature,
            "n_active_": float(state.sums.n_nonzero / state.sums.weight),
            "history_": {"objective": state.history},
            "n_iter_": len(state.history),
            "_state": state.arrays(),
        }

    def _fit_values(self, X, weights):
        """Fit the values to rows, for keys and a temperature that have changed."""
        coding = make_coding(self._mapping(), self.temperature_, self._converged())
        keys = Keys.of(self.keys_)
        sums = sum_over(coding, keys, X, weights, self.n_jobs)
        self.components_ = fit_values(keys, sums, self.values_reg)
        self.n_active_ = float(sums.n_nonzero / sums.weight)

    def _learner(self):
        parameters = self.get_params(deep=False)
        constraints = self._parameter_constraints
        return KEYS.resolve(self.keys, parameters, _OF_KEYS, constraints)


def _pick_counting(X, sample_weight):
    """Return indices of the rows that count, None for all, these, and their weights."""
    kept, weights = counting_rows(X, sample_weight)
    return kept, X if kept is None else pick(X, kept), weights
