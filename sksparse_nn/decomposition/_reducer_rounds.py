"""How a reducer is fitted to chunks of samples: in one round, as moments add up."""

from dataclasses import dataclass

from sklearn.base import clone

from sksparse_nn._rounds import Round, Sum, list_learnt
from sksparse_nn.solvers._state import State


class ReducerRounds:
    """The round of :class:`TruncatedSVDReducer`, whose parameters it reads."""

    def _fit_in_rounds(self):
        total = yield ReadMoments(self)
        vars(self).update(total.learnt)
        self._store_state(total.state, total.state.partition, total.n_samples)
        self._decompose()


@dataclass(frozen=True)
class Total(Sum):
    """What is known of the samples of some chunks.

    Attributes
    ----------
    state : State
        Their moments, or a sketch of them.

    n_samples : int
        Samples of weight above zero.

    learnt : dict
        Attributes that the checks of samples give a reducer.
    """

    state: State
    n_samples: int
    learnt: dict

    def merge(self, other):
        n_samples = self.n_samples + other.n_samples
        return Total(self.state.merge(other.state), n_samples, self.learnt)


@dataclass(frozen=True)
class ReadMoments(Round):
    """Checks samples and adds up their products.

    Attributes
    ----------
    reducer : TruncatedSVDReducer
        Not fitted.
    """

    reducer: object

    def read(self, X, y, sample_weight, number):
        probe = clone(self.reducer)
        state, n_samples = probe._begin_stream(X, sample_weight)
        return Total(state, n_samples, list_learnt(probe, self.reducer))
