"""Epochs of learning and their record."""

import numpy as np


class History:
    """A few numbers an epoch.

    Parameters
    ----------
    past : dict of ndarray or None, default=None
        What `as_dict` gave before.
    """

    def __init__(self, past=None):
        self.objective = list(past["objective"]) if past else []
        self.n_replaced = list(past["n_replaced"]) if past else []

    def __len__(self):
        return len(self.objective)

    def add(self, progress, weights):
        """Record an epoch over rows of these weights."""
        self.objective.append(progress.objective / weights.sum())
        self.n_replaced.append(progress.n_replaced)

    def as_dict(self):
        """Return an array of values by name."""
        return {
            "objective": np.array(self.objective, dtype=float),
            "n_replaced": np.array(self.n_replaced, dtype=int),
        }

    def __str__(self):
        return (
            f"epoch {len(self)}: objective {self.objective[-1]:.6g},"
            f" {self.n_replaced[-1]} atoms replaced"
        )


def run_epochs(epoch, progress, weights, n_epochs, verbose=False):
    """Run some epochs.

    Parameters
    ----------
    epoch : callable
        Passes over the rows once and updates `progress`.

    progress : Progress
        The dictionary.

    weights : ndarray of shape (n_samples,)
        Weights of the rows.

    n_epochs : int
        How many.

    verbose : bool, default=False
        Whether to print a line an epoch.

    Returns
    -------
    history : History
        Of these epochs.
    """
    history = History()
    for _ in range(n_epochs):
        epoch()
        history.add(progress, weights)
        if verbose:
            print(history, flush=True)  # noqa: T201
    return history
