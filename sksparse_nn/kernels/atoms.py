"""Update of a few atoms, one after another."""

import numpy as np

from sksparse_nn.kernels._jit import kernel
from sksparse_nn.kernels.rows import sum_of_squares


@kernel
def update_atoms(atoms, targets, ratios, start, positive, smallest):
    """Move consecutive atoms to where each is best while the others stay.

    Parameters
    ----------
    atoms : array of shape (n_atoms, n_features)
        Rows `start` and following are overwritten with unit vectors.

    targets : array of shape (n_updated, n_features)
        Where each atom is best, all others being as they are; overwritten. A row whose
        norm is no larger than `smallest` leaves its atom alone.

    ratios : array of shape (n_updated, n_atoms)
        By how much the target of one atom moves against a move of another.

    start : int
        Index of the first atom.

    positive : bool
        Whether entries below zero become zero.

    smallest : float
        Norms no larger are rounding errors.
    """
    n_updated, n_features = targets.shape
    move = np.empty(n_features, atoms.dtype)
    for u in range(n_updated):
        target = targets[u]
        if positive:
            for j in range(n_features):
                target[j] = max(target[j], 0)
        norm = np.sqrt(sum_of_squares(target, 1.0))
        if norm > smallest:
            inverse = atoms.dtype.type(1 / norm)
            for j in range(n_features):
                value = target[j] * inverse
                move[j] = value - atoms[start + u, j]
                atoms[start + u, j] = value
            for later in range(u + 1, n_updated):
                ratio = ratios[later, start + u]
                for j in range(n_features):
                    targets[later, j] -= ratio * move[j]
