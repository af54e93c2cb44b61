"""Early stopping: one rule for everything that is fitted in epochs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Rule that stops a fit once its objective no longer falls.

    Attributes
    ----------
    n_iter_no_change : int
        Epochs without improvement after which to stop.

    tol : float
        Improvement that counts, as a share of the best value so far.
    """

    n_iter_no_change: int
    tol: float

    def is_over(self, objectives):
        """Return whether the last objectives do not improve on those before.

        Parameters
        ----------
        objectives : sequence of float
            One per epoch.

        Returns
        -------
        is_over : bool
            False if there are too few.
        """
        before = objectives[: -self.n_iter_no_change]
        last = objectives[-self.n_iter_no_change :]
        if not len(before):
            return False
        best = min(before)
        return bool(min(last) >= best - self.tol * abs(best))
