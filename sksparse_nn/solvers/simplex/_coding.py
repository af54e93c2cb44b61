"""Codes of rows for given keys: by the nearest key, one step, or convergence."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.kernels import simplex
from sksparse_nn.solvers.coding import Codes
from sksparse_nn.solvers.simplex._anchored import encode_anchored
from sksparse_nn.solvers.simplex._base import AbstractMapping


def _allocate(keys, block, width):
    n_rows, dtype = len(block.norms), keys.given.dtype
    return Codes(
        np.empty(n_rows, np.int32),
        np.empty((n_rows, width), np.int32),
        np.empty((n_rows, width), dtype),
        np.zeros(n_rows),
    )


@dataclass
class Nearest:
    """Codes that are one for the nearest key."""

    def encode(self, keys, block):
        """Code a block of rows from `Keys.read_block`."""
        codes = _allocate(keys, block, 1)
        block, offsets = keys.make_comparable(block)
        simplex.nearest(block.products, block.norms, offsets, *codes.entries)
        return codes


@dataclass
class Step:
    """A mapping of half the squared distances, divided by a temperature.

    Parameters
    ----------
    mapping : AbstractMapping
        Maps distances to codes.

    temperature : float
        In squared units of the data.
    """

    mapping: AbstractMapping
    temperature: float

    def encode(self, keys, block):
        """Code a block of rows from `Keys.read_block`."""
        codes = _allocate(keys, block, len(keys.given))
        sharpness = keys.scale**2 / self.temperature
        self.mapping.encode(*keys.make_comparable(block), sharpness, codes)
        return codes

    def slopes(self, keys, shares):
        """Differentiate the nonzero entries of a code by the row.

        Parameters
        ----------
        keys : ndarray of shape (n_entries, n_features)
            Keys of the nonzero entries.

        shares : ndarray of shape (n_entries,)
            The nonzero entries.

        Returns
        -------
        slopes : ndarray of shape (n_entries, n_features)
            Derivatives with the nonzero entries held fixed.
        """
        # Scores are products of the row and keys, up to a term that all share.
        centred = keys - keys.mean(axis=0)
        return self.mapping.jacobian(shares) @ centred / self.temperature


@dataclass
class Converged:
    """The mixture of keys nearest to each row, by projected gradient steps.

    Parameters
    ----------
    start : Step
        Makes the initial codes.

    max_iter : int
        Maximum number of steps.

    tol : float
        Relative duality gap at which the steps of a row stop.
    """

    start: Step
    max_iter: int
    tol: float

    def slopes(self, keys, shares):
        """Differentiate as `Step` does; converged entries move by least squares."""
        return np.linalg.pinv(keys - keys.mean(axis=0)).T

    @property
    def temperature(self):
        """Temperature of the first step."""
        return self.start.temperature

    def encode(self, keys, block):
        """Code a block of rows from `Keys.read_block`."""
        codes = self.start.encode(keys, block)
        if block.hidden is not None:
            return self._encode_differences(keys, block, codes)
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

    def _encode_differences(self, keys, block, codes):
        start = codes.dense(len(keys.given))
        shares, codes.gaps[:] = encode_anchored(
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
