"""Keys that lower what the codes themselves minimise."""

from dataclasses import dataclass

from sksparse_nn.solvers.simplex._archetypes import archetypes
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt
from sksparse_nn.solvers.simplex._means import KMeans, soft_means


@dataclass
class Learned(AbstractKeys):
    """Codes and keys in turn: soft means for one step, archetypes for all.

    Parameters
    ----------
    max_epochs : int
        Passes over the rows.
    """

    max_epochs: int

    def learn(self, problem):
        if problem.converged is not None:
            learnt = Learnt(problem.first_keys)
            archetypes(problem, learnt, self.max_epochs)
        else:
            learnt = KMeans(self.max_epochs).learn(problem)
            soft_means(problem, learnt, self.max_epochs)
        return learnt
