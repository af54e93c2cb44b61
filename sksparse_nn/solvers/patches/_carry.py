"""Atoms of one whitening, carried into another."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.solvers.dictionary import Progress, Statistics


@dataclass(frozen=True)
class Change:
    """Map of whitened patches from one whitening to another.

    Attributes
    ----------
    matrix : ndarray of shape (patch_width, patch_width)
        Multiplies whitened patches.

    shift : ndarray of shape (patch_width,)
        Added after that.
    """

    matrix: np.ndarray
    shift: np.ndarray

    @classmethod
    def between(cls, old, new):
        """Return the map from one whitening to another.

        Parameters
        ----------
        old, new : Whitening
            The two. Patches keep the contrast of the old one.

        Returns
        -------
        change : Change or None
            None if the two are equal.
        """
        is_same = np.array_equal(old.matrix, new.matrix)
        if is_same and np.array_equal(old.mean, new.mean):
            return None
        matrix = np.linalg.solve(old.matrix, new.matrix)
        return cls(matrix, (old.mean - new.mean) @ new.matrix)


def carry(progress, change, *, unit):
    """Carry atoms, and the sums over patches, into another whitening.

    Centres of clusters move like patches. Unit atoms are directions: they are
    multiplied by the matrix and brought back to unit norm, with codes to match.

    Parameters
    ----------
    progress : Progress
        State of the learner, which does not change.

    change : Change
        The map.

    unit : bool
        Whether atoms have unit norm, or are centres of clusters.

    Returns
    -------
    progress : Progress
        New.
    """
    sums = progress.statistics
    atoms, B = progress.dictionary @ change.matrix, sums.B @ change.matrix
    if unit:
        norms = np.linalg.norm(atoms, axis=1)
        norms[norms == 0] = 1
        atoms, B = atoms / norms[:, None], B * norms[:, None]
        A = sums.A * np.outer(norms, norms)
    else:
        atoms, A = atoms + change.shift, sums.A.copy()
        B += np.diag(A)[:, None] * change.shift
    atoms = atoms.astype(progress.dictionary.dtype)
    statistics = Statistics(A, B, sums.usage.copy())
    return Progress(atoms, statistics, progress.n_batches)
