"""Method of optimal directions: all atoms at once, by least squares."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers.dictionary._base import code_rows
from sksparse_nn.solvers.dictionary._summing import SummingLearner

# Least share of an atom's use that the others before it do not explain, for which a
# Cholesky factor is good to half the digits.
_SAFE = 1e-8

_NUMBERS = 2**20  # of atoms that are solved for at a time


@dataclass
class MOD(SummingLearner):
    """Code all rows, then solve for the dictionary that fits these codes best.

    Parameters
    ----------
    positive_dict : bool, default=False
        Whether atoms must not have entries below zero: what is below is cut off.

    n_jobs : int or None, default=None
        Threads that code.

    References
    ----------
    K. Engan, S. O. Aase, J. H. Husoy (1999), Method of optimal directions for frame
    design. ICASSP.
    """

    positive_dict: bool = False
    n_jobs: int | None = None

    def epoch(self, coder, progress, samples, rng=None):
        progress.start_epoch()
        self.forget(progress)
        seen = code_rows(
            coder, progress, samples.X, samples.weights, n_jobs=self.n_jobs
        )
        self.move(progress, seen)

    def forget(self, progress, n_steps=None):
        progress.statistics.forget(0)

    def move(self, progress, seen):
        _solve(progress.dictionary, progress.statistics, self.positive_dict)
        progress.replace_idle(seen, positive=self.positive_dict)


def _solve(dictionary, statistics, positive):
    """Overwrite the atoms in use; one that the solution leaves empty stays."""
    size = np.sqrt(np.diag(statistics.A))
    used = np.flatnonzero(size > 0)
    scale = size[used]
    products = statistics.A[np.ix_(used, used)] / np.outer(scale, scale)
    atoms = statistics.B[used]
    # Some features at a time, as solving takes copies.
    for some in block_slices(atoms.shape[1], max(1, _NUMBERS // len(dictionary))):
        targets = atoms[:, some] / scale[:, None]
        atoms[:, some] = _solve_least_squares(products, targets)
    if positive:
        np.maximum(atoms, 0, out=atoms)
    for place, atom in zip(used, atoms, strict=True):
        norm = np.sqrt(np.sum(atom**2))
        if norm > 0:
            dictionary[place] = atom / norm


def _solve_least_squares(products, targets):
    """Solve with a matrix of cosines, cheaply where that loses nothing.

    With one atom a row it is the identity; it has a Cholesky factor unless atoms are
    used in fixed proportions.
    """
    if np.count_nonzero(products) == len(products):
        return targets
    try:
        factor = linalg.cho_factor(products)
    except linalg.LinAlgError:
        return linalg.lstsq(products, targets)[0]
    if (np.diag(factor[0]) ** 2).min() < _SAFE:
        return linalg.lstsq(products, targets)[0]
    return linalg.cho_solve(factor, targets)
