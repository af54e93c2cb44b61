"""When a fit has stopped to improve: one rule for everything that learns in epochs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """When an objective has stopped to fall.

    Attributes
    ----------
    n_iter_no_change : int
        Epochs without improvement after which to stop.

    tol : float
        Share of the best value so far by which it has to fall to be an improvement.
    """

    n_iter_no_change: int
    tol: float

    def is_over(self, objectives):
        """Tell whether the last objectives are no improvement on those before.

        Parameters
        ----------
        objectives : sequence of float
            One per epoch.

        Returns
        -------
        is_over : bool
            False while there are too few.
        """
        before = objectives[: -self.n_iter_no_change]
        last = objectives[-self.n_iter_no_change :]
        if not len(before):
            return False
        best = min(before)
        return bool(min(last) >= best - self.tol * abs(best))
