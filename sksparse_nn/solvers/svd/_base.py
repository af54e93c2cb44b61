"""Interface of the algorithms for the truncated SVD."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from sksparse_nn._progress import ProgressLines, silent
from sksparse_nn._registry import Algorithm
from sksparse_nn.solvers.svd._partition import Partition


@dataclass(frozen=True)
class WeightedRows:
    """Samples, their weights, and the groups of their features.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples, float32 or float64; a CSR matrix in canonical format.

    weight : ndarray of shape (n_samples,) or None
        Positive weights; None for ones.

    partition : Partition
        Groups of features.
    """

    X: object
    weight: np.ndarray | None
    partition: Partition


@dataclass(frozen=True)
class Factors:
    """Leading singular triplets of one group of features.

    Attributes
    ----------
    components : ndarray of shape (k, width)
        Right singular vectors, one per row.

    singular_values : ndarray of shape (k,)
        In decreasing order, each above the noise.

    residuals : ndarray of shape (k,)
        ``||X'u - s v|| / s`` of each triplet, where ``u = X v / s``.

    mean : ndarray of shape (width,)
        Mean subtracted from each row; zeros without centring.

    energy : float
        Squared Frobenius norm of the rows, centred if requested.

    noise : float
        Level at or below which singular values are indistinguishable from rounding.

    weight : float
        Sum of the weights of the rows.

    is_complete : bool
        Whether no further triplet is above the noise.

    n_passes : int, default=1
        Products of the data and their transpose, counted together.

    is_converged : bool, default=True
        Whether the residuals are below the tolerance.
    """

    components: np.ndarray
    singular_values: np.ndarray
    residuals: np.ndarray
    mean: np.ndarray
    energy: float
    noise: float
    weight: float
    is_complete: bool
    n_passes: int = 1
    is_converged: bool = True


@dataclass(frozen=True)
class SVDSolver(Algorithm, ABC):
    """An algorithm: `prepare` reads the data once, `leading` computes triplets.

    A subclass is a dataclass; its fields are the parameters that it reads.

    Attributes
    ----------
    center : bool, default=False
        Whether to subtract the mean from the rows.

    tol : float, default=1e-3
        Relative residual at which iterations stop.

    max_passes : int, default=12
        Maximum number of passes over the data.

    random_state : int, RandomState instance or None, default=None
        Seeds the starting block of iterations.

    n_jobs : int or None, default=None
        Threads; None for as many as BLAS takes.

    report : ProgressLines, default=silent
        Prints the progress.
    """

    center: bool = False
    n_jobs: int | None = None
    report: ProgressLines = field(default=silent, repr=False)

    # Whether `leading` can compute all singular values at an acceptable cost.
    finds_all: ClassVar[bool] = True

    @abstractmethod
    def prepare(self, rows):
        """Read the data.

        Parameters
        ----------
        rows : WeightedRows
            The data.

        Returns
        -------
        state : object
            Input of `leading`.
        """

    @abstractmethod
    def leading(self, state, n_components):
        """Compute at least the leading triplets of each group.

        Parameters
        ----------
        state : object
            From `prepare`.

        n_components : int
            Number of triplets per group; a solver may return more, and returns fewer
            only if no more are above the noise.

        Returns
        -------
        factors : list of Factors
            One per group.
        """

    def tell_gap(self, residual):
        """Return a text on triplets that are not converged.

        Parameters
        ----------
        residual : float
            The largest relative residual among them.

        Returns
        -------
        text : str
            For a warning.
        """
        return (
            f"The relative residual of a singular triplet by {type(self).__name__} is "
            f"{residual:.2g}; use another solver."
        )

    @abstractmethod
    def moments(self, rows, state):
        """Return statistics of the data that further rows can be added to.

        Parameters
        ----------
        rows : WeightedRows
            The data.

        state : object
            Result of `prepare`.

        Returns
        -------
        moments : Moments or None
            None if they would cost more than the decomposition.
        """
