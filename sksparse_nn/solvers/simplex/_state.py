"""What is known of keys and codes of the rows so far: fits, streams and merges."""

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from sksparse_nn._progress import ProgressLines, silent
from sksparse_nn.solvers._state import State, check_alike
from sksparse_nn.solvers.simplex._base import AbstractMapping
from sksparse_nn.solvers.simplex._differences import compute_half_squares
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learner import Learnt
from sksparse_nn.solvers.simplex._problem import Problem, make_coding
from sksparse_nn.solvers.simplex._streaming import StreamingKeys
from sksparse_nn.solvers.simplex._sums import Sums


@dataclass(frozen=True)
class Setting:
    """How further rows are learnt from and coded.

    Parameters
    ----------
    learner : StreamingKeys
        Moves the keys.

    rng : RandomState instance
        Draws the rows that the temperature is found on.

    mapping : AbstractMapping
        Maps distances to codes.

    n_active : float or None
        Mean number of nonzeros per row; None for the default.

    converged : dict or None, default=None
        `max_iter` and `tol` if steps are repeated until convergence.

    report : ProgressLines, default=silent
        Prints a line per pass over the rows.
    """

    learner: StreamingKeys
    rng: np.random.RandomState
    mapping: AbstractMapping
    n_active: float | None
    converged: dict | None = None
    report: ProgressLines = silent


@dataclass(frozen=True)
class AttentionState(State):
    """Keys, their temperature, and the sums that values are fitted from.

    Parameters
    ----------
    keys : ndarray of shape (n_keys, n_features)
        The keys.

    counts : ndarray of shape (n_keys,)
        Weight of the rows that each key is the mean of.

    temperature : float
        Mean of those that suit the rows of each `add`, by weight.

    history : ndarray of shape (n_passes,)
        Objective per pass, and per `add`.

    sums : Sums
        Over the codes of all rows, each coded with the keys of its time, about the
        centre of the keys.

    setting : Setting or None, default=None
        The context; None suffices for all but `add`.
    """

    keys: np.ndarray
    counts: np.ndarray
    temperature: float
    history: np.ndarray
    sums: Sums
    setting: Setting | None = None

    @property
    def context(self):
        """The setting."""  # numpydoc ignore=RT01
        return self.setting

    @property
    def shape(self):
        """Number of keys and of features."""  # numpydoc ignore=RT01
        return self.keys.shape

    @classmethod
    def begin(cls, problem, learnt):
        """Return the state after the rows of a problem, from which keys are learnt."""
        keys = Keys.of(learnt.keys)
        coding = problem.choose_coding(keys)
        sums = problem.sum_over(coding, keys)
        return cls.of_sums(learnt, coding.temperature, sums)

    @classmethod
    def of_sums(cls, learnt, temperature, sums):
        """Return the state after rows that are coded with learnt keys."""
        counts = learnt.counts
        if counts is None:
            counts = np.zeros(len(learnt.keys))
        return cls(learnt.keys, counts, temperature, np.array(learnt.history), sums)

    def add(self, X, weights, n_jobs=None):
        """Return the state after further rows.

        Parameters
        ----------
        X : ndarray, CSR matrix or PickedRows of shape (n_rows, n_features)
            Rows, of the type of the keys.

        weights : ndarray of shape (n_rows,)
            Their weights, above zero.

        n_jobs : int or None, default=None
            Number of threads.

        Returns
        -------
        state : AttentionState
            The keys move first. Then the rows are coded.
        """
        problem = self._make_problem(X, weights, n_jobs)
        learnt = Learnt(self.keys, list(self.history), counts=self.counts)
        learnt = self.setting.learner.move(problem, learnt)
        keys = Keys.of(learnt.keys)
        share = weights.sum() / (self.sums.weight + weights.sum())
        suited = problem.choose_coding(keys).temperature
        temperature = _mix(self.temperature, suited, share)
        coding = make_coding(problem.mapping, temperature, problem.converged)
        sums = self._move_sums(keys).merge(problem.sum_over(coding, keys))
        history = np.array(learnt.history)
        return replace(
            self,
            keys=learnt.keys,
            counts=learnt.counts,
            temperature=temperature,
            history=history,
            sums=sums,
        )

    def _make_problem(self, X, weights, n_jobs):
        setting = self.setting
        return Problem.draw_chunk(
            X,
            weights,
            len(self.keys),
            setting.rng,
            mapping=setting.mapping,
            n_active=setting.n_active,
            converged=setting.converged,
            n_jobs=n_jobs,
            report=setting.report,
        )

    def _move_sums(self, keys):
        centre = Keys.of(self.keys).centre.astype(np.float64)
        return self.sums.shift(centre - keys.centre)

    def merge(self, other):
        """Return the state of the rows of both; keys are matched one to one.

        Parameters
        ----------
        other : AttentionState
            Of as many keys and features.

        Returns
        -------
        state : AttentionState
            Its keys are means by count, in the order of these keys; its history is
            that of this state.
        """
        check_alike(self, other)
        other = other._reorder(_match(self.keys, other.keys))
        counts = self.counts + other.counts
        shares = np.divide(
            other.counts, counts, out=np.zeros_like(counts), where=counts > 0
        )
        points = (state.keys.astype(np.float64) for state in (self, other))
        moved = _mix(*points, shares[:, None]).astype(self.keys.dtype)
        keys = Keys.of(moved)
        sums = self._move_sums(keys).merge(other._move_sums(keys))
        share = other.sums.weight / sums.weight
        return replace(
            self,
            keys=moved,
            counts=counts,
            temperature=_mix(self.temperature, other.temperature, share),
            sums=sums,
        )

    def _reorder(self, order):
        keys, counts = self.keys[order], self.counts[order]
        return replace(self, keys=keys, counts=counts, sums=self.sums.reorder(order))

    def arrays(self):
        """Return all but the setting, in types that any persistence knows."""
        own = {
            name: value
            for name, value in vars(self).items()
            if name not in ("sums", "setting")
        }
        return own | vars(self.sums)

    @classmethod
    def from_arrays(cls, arrays, context=None):
        """Restore a state with a setting from `arrays`."""
        of_sums = {field.name for field in fields(Sums)}
        own = {name: arrays[name] for name in arrays if name not in of_sums}
        sums = Sums(**{name: arrays[name] for name in of_sums})
        return cls(**own, sums=sums, setting=context)


def _mix(one, other, share):
    """Return a mean in which the other has a share."""
    return one + share * (other - one)


def _match(keys, others):
    """Return the other key of each key, so that squared distances are least."""
    squares = compute_half_squares(others, keys, Keys.of(keys).scale).T
    return linear_sum_assignment(squares)[1]
