"""Method of optimal directions: all atoms at once, by least squares."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from sksparse_nn.solvers.dictionary._base import AbstractLearner, code_rows


@dataclass
class MOD(AbstractLearner):
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
        progress.statistics.forget(0)
        seen = code_rows(
            coder, progress, samples.X, samples.weights, n_jobs=self.n_jobs
        )
        _solve(progress.dictionary, progress.statistics, self.positive_dict)
        progress.replace_idle(seen, positive=self.positive_dict)


def _solve(dictionary, statistics, positive):
    """Overwrite the atoms in use; one that the solution leaves empty stays."""
    size = np.sqrt(np.diag(statistics.codes))
    used = np.flatnonzero(size > 0)
    scale = size[used]
    products = statistics.codes[np.ix_(used, used)] / np.outer(scale, scale)
    atoms = linalg.lstsq(products, statistics.rows[used] / scale[:, None])[0]
    if positive:
        np.maximum(atoms, 0, out=atoms)
    norms = np.linalg.norm(atoms, axis=1)
    full = norms > 0
    dictionary[used[full]] = atoms[full] / norms[full, None]
