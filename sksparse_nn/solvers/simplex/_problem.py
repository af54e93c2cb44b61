"""Rows to learn keys from, and the kind of codes to learn for."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn._progress import ProgressLines, silent
from sksparse_nn._read_ahead import take_rows
from sksparse_nn.solvers.simplex._base import AbstractMapping
from sksparse_nn.solvers.simplex._coding import Converged, Step
from sksparse_nn.solvers.simplex._left import measure_left
from sksparse_nn.solvers.simplex._sample import Sample, draw_sample
from sksparse_nn.solvers.simplex._start import draw_far_rows
from sksparse_nn.solvers.simplex._sums import sum_over
from sksparse_nn.solvers.simplex._temperature import find_temperature

# Rows from which initial keys are drawn and on which the temperature is found.
_SAMPLE_ROWS = 4096
_SAMPLE_ROWS_PER_KEY = 8

# Mean share of the keys in a code if n_active is not given.
_ACTIVE_SHARE = 0.5


@dataclass
class Problem:
    """Rows to learn keys from, and the kind of codes to learn for.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type.

    weights : ndarray of shape (n_samples,)
        Weights of the rows, above zero.

    sample : Sample
        Some of the rows.

    start : ndarray of shape (n_keys,)
        Indices of rows that keys may start from; none where there are keys.

    mapping : AbstractMapping
        Maps distances to codes.

    n_active : float
        Mean number of nonzeros per row.

    converged : dict or None
        `max_iter` and `tol` if steps are repeated until convergence.

    n_jobs : int or None
        Number of threads.

    report : ProgressLines, default=silent
        Prints a line per pass over the rows.

    Attributes
    ----------
    learnt : Learnt or None
        Result of the passes so far.

    fitted : callable or None
        Returns the attributes, by name, of an estimator that stops there.
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
        self.learnt = self.fitted = None

    @classmethod
    def draw(cls, X, weights, n_keys, rng, **codes):
        """Draw the sample and the rows to start from."""
        sample = _draw_sample(X, weights, n_keys, rng)
        start = sample.indices[draw_far_rows(sample, n_keys, rng)]
        codes["n_active"] = _count_active(codes["n_active"], len(start))
        return cls(X, weights, sample, start, **codes)

    @classmethod
    def draw_chunk(cls, X, weights, n_keys, rng, **codes):
        """Draw the sample alone, of rows that come after there are keys."""
        sample = _draw_sample(X, weights, n_keys, rng)
        codes["n_active"] = _count_active(codes["n_active"], n_keys)
        return cls(X, weights, sample, np.empty(0, int), **codes)

    def first_keys(self):
        """Return the rows to start from, an ndarray of shape (n_keys, n_features)."""
        return self.take(self.start)

    def run_passes(self, step, n_passes):
        """Pass over the rows until a pass is the last one, or a callback stops.

        Parameters
        ----------
        step : callable
            Makes a pass and calls `record_pass`; returns true if it was the last one.

        n_passes : int
            Maximum number of passes.
        """
        self.report.task.run(step, n_passes, self.fitted, name="pass")

    def record_pass(self, learnt, objective):
        """Record the objective of a pass over the rows.

        Parameters
        ----------
        learnt : Learnt
            The objective is appended to its history.

        objective : float
            Mean objective per row.
        """
        learnt.history.append(objective)
        self.learnt = learnt
        self.report_pass(len(learnt.history), objective)

    def report_pass(self, number, objective):
        """Print a line on a pass."""
        self.report(f"pass {number}: objective {objective:.6g}")

    def take(self, indices):
        """Return some rows as an ndarray."""
        rows = take_rows(self.X, indices)
        return rows.toarray() if sparse.issparse(rows) else np.array(rows)

    def choose_coding(self, keys):
        """Choose the temperature for given keys.

        Parameters
        ----------
        keys : Keys
            The keys.

        Returns
        -------
        coding : Step or Converged
            Method of coding at that temperature.
        """
        found = find_temperature(self.mapping, keys, self.sample, self.n_active)
        return make_coding(self.mapping, found, self.converged)

    def sum_over(self, coding, keys):
        """Code all rows and sum over the codes."""
        return sum_over(coding, keys, self.X, self.weights, self.n_jobs)

    def measure_left(self, coding, keys):
        """Code all rows and sum what is left of them."""
        return measure_left(coding, keys, self.X, self.weights, self.n_jobs)


def count_sample_rows(n_keys):
    """Return how many rows suffice to start from and to find the temperature on.

    Parameters
    ----------
    n_keys : int
        Number of keys.

    Returns
    -------
    n_rows : int
        Any more than that are not looked at.
    """
    return max(_SAMPLE_ROWS, _SAMPLE_ROWS_PER_KEY * n_keys)


def _draw_sample(X, weights, n_keys, rng):
    return draw_sample(X, weights, count_sample_rows(n_keys), rng)


def _count_active(wanted, n_keys):
    """Return the mean number of nonzeros, at most the number of keys."""
    if wanted is None:
        wanted = max(1, _ACTIVE_SHARE * n_keys)
    return min(wanted, n_keys)


def make_coding(mapping, temperature, converged=None):
    """Make the method of coding.

    Parameters
    ----------
    mapping : AbstractMapping
        Maps distances to codes.

    temperature : float
        In squared units of the data.

    converged : dict or None, default=None
        `max_iter` and `tol` if steps are repeated until convergence.

    Returns
    -------
    coding : Step or Converged
        One step, or steps until convergence.
    """
    step = Step(mapping, temperature)
    return step if converged is None else Converged(step, **converged)
