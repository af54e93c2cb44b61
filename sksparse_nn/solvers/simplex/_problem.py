"""Rows to learn keys from, and how they will be coded."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn._progress import ProgressLines, silent
from sksparse_nn.solvers.simplex._base import AbstractMapping
from sksparse_nn.solvers.simplex._coding import Converged, Step
from sksparse_nn.solvers.simplex._sample import Sample, draw_sample
from sksparse_nn.solvers.simplex._start import far_rows
from sksparse_nn.solvers.simplex._sums import sum_over
from sksparse_nn.solvers.simplex._temperature import wanted_temperature

# What keys start from and the temperature is found on.
_SAMPLE_ROWS = 4096
_SAMPLE_ROWS_PER_KEY = 8

# Share of the keys that is in a code on average where no number is wanted.
_ACTIVE_SHARE = 0.5


@dataclass
class Problem:
    """Rows and the codes that are wanted of them.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type.

    weights : ndarray of shape (n_samples,)
        Their weights, above zero.

    sample : Sample
        Some of the rows.

    start : ndarray of shape (n_keys,)
        Indices of rows that keys may start from.

    mapping : AbstractMapping
        From distances to codes.

    n_active : float
        Nonzeros a row on average.

    converged : dict or None
        `max_iter` and `tol` where steps are taken until they converge.

    n_jobs : int or None
        Number of threads.

    report : ProgressLines, default=silent
        Told of each pass over the rows.

    Attributes
    ----------
    learnt : Learnt or None
        What the passes so far have led to.
    """

    X: np.ndarray | sparse.csr_matrix
    weights: np.ndarray
    sample: Sample
    start: np.ndarray
    mapping: AbstractMapping
    n_active: float
    converged: dict | None = None
    n_jobs: int | None = None
    report: ProgressLines = silent

    def __post_init__(self):
        self.learnt = None

    @classmethod
    def draw(cls, X, weights, n_keys, rng, **codes):
        """Draw the sample and the rows to start from."""
        size = max(_SAMPLE_ROWS, _SAMPLE_ROWS_PER_KEY * n_keys)
        sample = draw_sample(X, weights, size, rng)
        start = sample.indices[far_rows(sample, n_keys, rng)]
        wanted = codes.pop("n_active")
        if wanted is None:
            wanted = max(1, _ACTIVE_SHARE * len(start))
        n_active = min(wanted, len(start))
        return cls(X, weights, sample, start, n_active=n_active, **codes)

    def first_keys(self):
        """Return the rows to start from, an ndarray of shape (n_keys, n_features)."""
        return self.take(self.start)

    def passed(self, learnt, objective):
        """Record the objective of a pass over the rows.

        Parameters
        ----------
        learnt : Learnt
            Its history grows.

        objective : float
            As a mean over the rows.
        """
        learnt.history.append(objective)
        self.learnt = learnt
        self.report(f"pass {len(learnt.history)}: objective {objective:.6g}")

    def take(self, indices):
        """Return some rows as an ndarray."""
        rows = self.X[indices]
        return rows.toarray() if sparse.issparse(rows) else np.array(rows)

    def coding(self, keys):
        """Choose the temperature and say how rows are coded.

        Parameters
        ----------
        keys : Keys
            What rows are compared with.

        Returns
        -------
        coding : Step or Converged
            One step, or all.
        """
        found = wanted_temperature(self.mapping, keys, self.sample, self.n_active)
        return coding_at(self.mapping, found, self.converged)

    def sums(self, coding, keys):
        """Code all rows and sum, as `sum_over` does."""
        return sum_over(coding, keys, self.X, self.weights, self.n_jobs)


def coding_at(mapping, temperature, converged=None):
    """Say how rows are coded.

    Parameters
    ----------
    mapping : AbstractMapping
        From distances to codes.

    temperature : float
        In squared units of the data.

    converged : dict or None, default=None
        `max_iter` and `tol` where steps are taken until they converge.

    Returns
    -------
    coding : Step or Converged
        One step, or all.
    """
    step = Step(mapping, temperature)
    return step if converged is None else Converged(step, **converged)
