"""Keys that are learnt to reconstruct the rows."""

from dataclasses import dataclass

from sksparse_nn.solvers.simplex._archetypes import learn_archetypes
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt
from sksparse_nn.solvers.simplex._means import KMeansKeys
from sksparse_nn.solvers.simplex._towards_values import move_towards_values


@dataclass
class Learned(AbstractKeys):
    """Keys learnt with their codes: archetypes, or keys moved towards their values.

    Converged codes give archetypes; with codes of one step, keys move towards values.

    Parameters
    ----------
    max_epochs : int, default=50
        Maximum number of passes over the rows.

    values_reg : float, default=1e-3
        Regularisation of `fit_values`.
    """

    max_epochs: int = 50
    values_reg: float = 1e-3

    def most_passes(self, converges):
        return self.max_epochs if converges else 2 * self.max_epochs

    def learn(self, problem):
        if problem.converged is not None:
            learnt = Learnt(problem.first_keys())
            learn_archetypes(problem, learnt, self.max_epochs)
        else:
            learnt = KMeansKeys(self.max_epochs).learn(problem)
            move_towards_values(problem, learnt, self.max_epochs, self.values_reg)
        return learnt
