"""How a coder learns its dictionary: in epochs, or from rows as they come."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from sksparse_nn._history import first_epochs
from sksparse_nn._holdout import hold_out
from sksparse_nn._interrupts import keeps_interrupted
from sksparse_nn._picked_rows import pick
from sksparse_nn._validation import check_atoms, check_n_components
from sksparse_nn.decomposition._coder_algorithms import (
    DEFAULT_ALPHA,
    OF_ALGORITHMS,
    check_penalty,
    make_learning_algorithm,
    make_patience,
)
from sksparse_nn.solvers._rows import root_mean_square
from sksparse_nn.solvers.coding import (
    CODERS,
    describe_zero_codes,
    fill_with_means,
    find_alpha,
    has_missing,
)
from sksparse_nn.solvers.dictionary import (
    DictionaryState,
    History,
    LastEpoch,
    Plan,
    Progress,
    Samples,
    compute_mean_objective,
    count_directions,
    init_dictionary,
    normalise_atoms,
)

_DEFAULT_ATOMS = 256
_FIRST_ROWS = 3  # an atom, that a stream starts from


class DictionaryLearning:
    """The learning of :class:`SparseDictionaryCoder`, whose parameters it reads.

    Fitted attributes are those of the coder. Beside them, `_state` is all that is
    known of the dictionary: the arrays of a `DictionaryState`.
    """

    def _keep_dictionary(self, X, weights, level=None):
        for learnt in ("usage_", "_state"):
            vars(self).pop(learnt, None)
        rng = check_random_state(self.random_state)
        self.components_ = self._find_first_atoms(X, weights, rng, level)
        self._coder(len(self.components_))
        self.history_ = History().as_dict()
        self.n_iter_ = 0
        return self

    def _pick_first(self, X, weights):
        """Return the rows that initial atoms and alpha_ come from."""
        learner = self._learner()
        if not learner.streams or learner.shuffle:
            return X, weights
        n_first = self._count_first(X)
        return X[:n_first], weights[:n_first]

    def _count_first(self, X):
        learner = self._learner()
        return max(learner.batch_size, _FIRST_ROWS * self._count_atoms(X))

    def _count_atoms(self, X):
        if self.n_components is not None:
            check_n_components(self.n_components, X.shape[1], paired=True)
            return self.n_components
        if not isinstance(self.init, str):
            return len(check_atoms(self.init, None, X))
        return min(X.shape[1], _DEFAULT_ATOMS)

    def _set_alpha(self, level):
        alpha = float(DEFAULT_ALPHA * level)
        if not np.isfinite(alpha):
            raise ValueError(
                "The norms of the rows must be numbers of float64. Got a root mean"
                f" square of {alpha}; scale X."
            )
        self.alpha_ = alpha

    def _fit_alpha(self, atoms, X, weights):
        """Find the alpha for the number of nonzeros that is asked for, if one is."""
        if self.n_active is None:
            return
        X = self._fill(X)
        coder = self._coder(len(atoms))
        self.alpha_ = find_alpha(coder, atoms, X, weights, self.n_active)

    def _fill(self, X):
        """Return samples without missing values, which are looked for if allowed."""
        return fill_with_means(X) if self.allow_nan and has_missing(X) else X

    def _start(self, X, weights, rng, level=None):
        atoms = self._find_first_atoms(X, weights, rng, level)
        return atoms if isinstance(self.init, str) else normalise_atoms(atoms)

    def _find_first_atoms(self, X, weights, rng, level=None):
        """Draw atoms from rows; level is that of all, where these are not all."""
        X = self._fill(X)
        self._set_alpha(root_mean_square(X, weights) if level is None else level)
        atoms = self._draw_atoms(X, weights, rng)
        self._fit_alpha(atoms, X, weights)
        return atoms

    def _draw_atoms(self, X, weights, rng):
        if not isinstance(self.init, str):
            return check_atoms(self.init, self.n_components, X)
        return init_dictionary(
            X,
            weights,
            self._count_atoms(X),
            rng,
            init=self.init,
            positive=self._is_positive(),
        )

    def _is_positive(self):
        """Tell whether atoms must not have entries below zero."""
        learner = self._learner()
        return self.positive_dict if learner is None else learner.positive_dict

    def _read_former(self, X):
        """Return the atoms of the fit before, to go on from."""
        former = self.components_
        if self.n_components not in (None, len(former)):
            raise ValueError(
                f"Learning goes on with the {len(former)} atoms that are there. Got"
                f" n_components={self.n_components}; set warm_start=False and fit anew."
            )
        return normalise_atoms(former.astype(X.dtype))

    def _learner(self):
        parameters = self.get_params(deep=False)
        return make_learning_algorithm(parameters, self._parameter_constraints)

    def _check_choices(self):
        """Refuse parameters that are set in vain, before any work is done."""
        parameters = self.get_params(deep=False)
        CODERS.check_read(self.algorithm, parameters, OF_ALGORITHMS)
        self._check_n_active()
        self._learner()

    def _check_n_active(self):
        if self.n_active is None:
            return
        able = [name for name in CODERS if "alpha" in CODERS.parameters(name)]
        if self.algorithm not in able:
            raise ValueError(
                f"n_active is read with one of the algorithms {able}. Got n_active="
                f"{self.n_active} with algorithm={self.algorithm!r}; set n_active=None."
            )
        if self.alpha is not None:
            raise ValueError(
                "n_active determines alpha. Got "
                f"n_active={self.n_active} with alpha={self.alpha}; leave one out."
            )

    def _learning_coder(self, n_atoms):
        coder = self._coder(n_atoms).learning_coder()
        check_penalty(self.get_params(deep=False), coder, self._learner())
        return coder

    def _learn(self, task, start, X, weights, rng):
        progress, coder = Progress.begin(start), self._learning_coder(len(start))
        learner = self._learner()
        rule = make_patience(self.get_params(deep=False))
        (X, weights), held = self._split(X, weights, rng)
        samples, history, report = Samples(X, weights), History(), self._report()
        watched = "objective" if held is None else "validation_objective"

        last = LastEpoch(progress)

        def epoch():
            last.begin()
            learner.epoch(coder, progress, samples, rng)
            if held is None:
                history.add(progress)
            else:
                dictionary = progress.dictionary
                measured = compute_mean_objective(coder, dictionary, *held, self.n_jobs)
                history.add(progress, measured)
            last.end(history.as_dict())
            report(history)
            return rule and rule.is_over(history[watched])

        def fitted():
            return {"components_": progress.dictionary.copy(), "alpha_": self.alpha_}

        try:
            task.run(epoch, self.max_epochs, fitted)
        except KeyboardInterrupt:
            if last.history is None or not self._keeps(last.history):
                raise
        progress, history = last.result()
        self._store(DictionaryState(progress), history)

    def _split(self, X, weights, rng):
        """Return the samples to learn from and those to stop by, or None."""
        fraction = self.validation_fraction
        if not self.early_stopping or fraction is None:
            return (X, weights), None
        train, valid = hold_out(X, weights, fraction=fraction, random_state=rng)
        return (pick(X, train), weights[train]), (X[valid], weights[valid])

    def _keeps(self, history):
        return keeps_interrupted(self, len(history["objective"]), self.max_epochs)

    def _beyond_the_data(self, X, weights):
        """Return sentences on what is asked for and cannot be had of these rows."""
        n_atoms, coder = len(self.components_), self._coder(len(self.components_))
        X = self._fill(X)
        is_drawn = self.learner is not None or isinstance(self.init, str)
        n_rows = count_directions(X, weights, n_atoms) if is_drawn else n_atoms
        if n_rows < n_atoms:
            yield (
                f"n_components={n_atoms} is more than the {n_rows} distinct rows of X."
                " The atoms beyond these are random directions; lower n_components."
            )
        most = coder.most_atoms(*self.components_.shape)
        if self.n_nonzero_coefs is not None and self.n_nonzero_coefs > most:
            n_features = self.components_.shape[1]
            yield (
                f"n_nonzero_coefs={self.n_nonzero_coefs} is more than a row can have of"
                f" {n_atoms} atoms of {n_features} features. There are {most} at most;"
                " lower n_nonzero_coefs."
            )
        yield describe_zero_codes(coder, self.components_, X)

    def _stream(self, X, weights):
        """Add rows to those of the stream, and learn as if it ended here."""
        state, past = self._known_state(), getattr(self, "history_", None)
        if not state.is_stream:
            state = state.begin_stream(self._draw_seed())
        else:  # all pieces of a stream are one epoch
            past = first_epochs(past, self.n_iter_ - 1)
        state = state.add(X, weights)
        history = History(past)
        history.add(state.reached)
        self._report()(history)
        self._store(state, history.as_dict())

    def _known_state(self):
        if hasattr(self, "_state"):
            return DictionaryState.from_arrays(self._state, self._plan())
        progress = None
        if hasattr(self, "components_"):
            progress = Progress.begin(normalise_atoms(self.components_))
        return DictionaryState(progress, plan=self._plan())

    def _plan(self):
        return Plan(
            self._learner(), self._learning_coder, self._count_first, self._begin
        )

    def _draw_seed(self):
        if isinstance(self.random_state, Integral):
            return self.random_state
        return check_random_state(self.random_state).randint(np.iinfo(np.int32).max)

    def _begin(self, X, weights, seed):
        return self._start(X, weights, check_random_state(seed))

    def _store(self, state, history):
        self.components_ = state.reached.dictionary
        self.usage_ = state.reached.usage
        self.history_ = history
        self.n_iter_ = len(history["objective"])
        self._state = state.arrays()


def measure_level(X, weights):
    """Return the root of the mean square of rows.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of which values may be missing.

    weights : ndarray of shape (n_samples,)
        Their weights.

    Returns
    -------
    level : float
        In the units of `X`.
    """
    return root_mean_square(fill_with_means(X) if has_missing(X) else X, weights)
