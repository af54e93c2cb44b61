"""How rows are coded once keys are known: their nearest, one step, or all steps."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels import simplex
from sksparse_nn.solvers.coding import Codes
from sksparse_nn.solvers.simplex._anchored import anchored_codes
from sksparse_nn.solvers.simplex._base import AbstractMapping


def _room(keys, block, width):
    n_rows, dtype = len(block.norms), keys.given.dtype
    return Codes(
        np.empty(n_rows, np.int32),
        np.empty((n_rows, width), np.int32),
        np.empty((n_rows, width), dtype),
        np.zeros(n_rows),
    )


@dataclass
class Nearest:
    """One for the nearest key."""

    def encode(self, keys, block):
        """Code a block of rows, as `Keys` gives it."""
        codes = _room(keys, block, 1)
        block, offsets = keys.comparable(block)
        simplex.nearest(block.products, block.norms, offsets, *codes.entries)
        return codes


@dataclass
class Step:
    """A mapping of half the squared distances, divided by a temperature.

    Parameters
    ----------
    mapping : AbstractMapping
        From distances to codes.

    temperature : float
        In squared units of the data.
    """

    mapping: AbstractMapping
    temperature: float

    def encode(self, keys, block):
        """Code a block of rows, as `Keys` gives it."""
        codes = _room(keys, block, len(keys.given))
        sharpness = keys.scale**2 / self.temperature
        self.mapping.encode(*keys.comparable(block), sharpness, codes)
        return codes

    def slopes(self, keys, shares):
        """Differentiate the shares of the keys in a code by the row.

        Parameters
        ----------
        keys : ndarray of shape (n_entries, n_features)
            Those keys.

        shares : ndarray of shape (n_entries,)
            Their shares.

        Returns
        -------
        slopes : ndarray of shape (n_entries, n_features)
            While no other key joins.
        """
        # Scores are products of the row and keys, but for what all have in common.
        centred = keys - keys.mean(axis=0)
        return self.mapping.jacobian(shares) @ centred / self.temperature


@dataclass
class Converged:
    """Projected gradient steps until the mixture of keys is nearest to the row.

    Parameters
    ----------
    start : Step
        Gives the codes to start from.

    max_iter : int
        Steps at most.

    tol : float
        Relative duality gap at which a row is done.
    """

    start: Step
    max_iter: int
    tol: float

    def slopes(self, keys, shares):
        """Differentiate as `Step` does; these move by least squares."""
        return np.linalg.pinv(keys - keys.mean(axis=0)).T

    @property
    def temperature(self):
        """Of the first step."""
        return self.start.temperature

    def encode(self, keys, block):
        """Code a block of rows, as `Keys` gives it."""
        codes = self.start.encode(keys, block)
        if block.hidden is not None:
            return self._from_differences(keys, block, codes)
        simplex.converge(
            block.products,
            block.norms,
            block.shifts,
            keys.gram,
            keys.curvature,
            self.max_iter,
            self.tol,
            *codes.entries,
            codes.gaps,
        )
        return codes

    def _from_differences(self, keys, block, codes):
        start = codes.dense(len(keys.given))
        shares, codes.gaps[:] = anchored_codes(
            keys, block, start, max_iter=self.max_iter, tol=self.tol
        )
        for i, row in enumerate(shares.astype(codes.values.dtype)):
            used = np.flatnonzero(row)
            codes.counts[i] = len(used)
            codes.indices[i, : len(used)], codes.values[i, : len(used)] = (
                used,
                row[used],
            )
        return codes
