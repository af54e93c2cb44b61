"""The record of epochs."""

import numpy as np

_TYPES = {
    "objective": float,
    "validation_objective": float,
    "n_nonzero": float,
    "gap": float,
    "n_replaced": int,
}


class History:
    """A few numbers per epoch.

    Parameters
    ----------
    past : dict of ndarray or None, default=None
        An earlier result of `as_dict`.
    """

    def __init__(self, past=None):
        self._columns = {name: list(past[name]) if past else [] for name in _TYPES}

    def __len__(self):
        return len(self["objective"])

    def __getitem__(self, name):
        return self._columns[name]

    def add(self, progress, validation_objective=np.nan):
        """Record an epoch, and the objective of held-out samples."""
        row = {
            "objective": progress.mean_objective,
            "validation_objective": validation_objective,
            "n_nonzero": progress.usage.sum() / progress.weight,
            "gap": progress.gap,
            "n_replaced": progress.n_replaced,
        }
        for name, value in row.items():
            self[name].append(value)

    def as_dict(self):
        """Return an array of values by name."""
        return {name: np.array(self[name], kind) for name, kind in _TYPES.items()}

    def __str__(self):
        held_out = self["validation_objective"][-1]
        parts = [f"epoch {len(self)}: objective {self['objective'][-1]:.6g}"]
        parts += [] if np.isnan(held_out) else [f"held out {held_out:.6g}"]
        parts += [f"{self['n_nonzero'][-1]:.3g} atoms a row"]
        parts += [f"{self['n_replaced'][-1]} atoms replaced"]
        return ", ".join(parts)
