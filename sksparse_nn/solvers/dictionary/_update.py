"""One sweep over the atoms, each moved to where it is best given the others."""

import numpy as np

from sksparse_nn.kernels.atoms import update_atoms

_BLOCK_SIZE = 32
_NOISE = 1e-6  # of a unit atom


def update_dictionary(dictionary, statistics, *, positive=False):
    """Lower the error of the rows behind the statistics, their codes being fixed.

    With unit atoms, the best place of atom j is the direction of
    ``rows_j - sum_{l != j} codes_jl d_l``. What the atoms of a block need of all others
    is one matrix product; within the block a kernel follows the moves. Each row of the
    statistics is divided by its diagonal entry, so that no scale of the data matters.

    Parameters
    ----------
    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms; overwritten. One that no code has used stays.

    statistics : Statistics
        Sums over the rows.

    positive : bool, default=False
        Whether atoms must not have entries below zero.
    """
    used = np.diag(statistics.A) > 0
    scale = np.where(used, np.diag(statistics.A), 1)[:, None]
    for start in range(0, len(dictionary), _BLOCK_SIZE):
        block = slice(start, start + _BLOCK_SIZE)
        ratios = (statistics.A[block] / scale[block]).astype(dictionary.dtype)
        targets = np.empty_like(dictionary[block])
        # Without a copy in double precision, which wide atoms have no room for.
        np.divide(statistics.B[block], scale[block], out=targets, casting="same_kind")
        targets -= ratios @ dictionary
        np.add(targets, dictionary[block], out=targets, where=used[block, None])
        update_atoms(dictionary, targets, ratios, start, positive, _NOISE)
