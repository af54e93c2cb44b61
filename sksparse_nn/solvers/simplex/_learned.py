"""Keys that lower what codes leave of the rows."""

from dataclasses import dataclass

from sksparse_nn.solvers.simplex._archetypes import archetypes
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt
from sksparse_nn.solvers.simplex._means import KMeans
from sksparse_nn.solvers.simplex._towards_values import towards_values


@dataclass
class Learned(AbstractKeys):
    """Codes and keys in turn: towards the values for one step, archetypes for all.

    Parameters
    ----------
    max_epochs : int, default=50
        Passes over the rows.

    values_reg : float, default=1e-3
        As in `fit_values`.
    """

    max_epochs: int = 50
    values_reg: float = 1e-3

    def learn(self, problem):
        if problem.converged is not None:
            learnt = Learnt(problem.first_keys())
            archetypes(problem, learnt, self.max_epochs)
        else:
            learnt = KMeans(self.max_epochs).learn(problem)
            towards_values(problem, learnt, self.max_epochs, self.values_reg)
        return learnt
