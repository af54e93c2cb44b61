"""Scaling of samples to mean zero and a mean squared norm of one."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.neural._batches import dense_rows
from sksparse_nn.neural._unit import unit_of

# Samples per block, and numbers per block if samples are wide.
_BLOCK = 4096
_NUMBERS = 2**20


@dataclass(frozen=True)
class Scaling:
    """Scaling of samples to mean zero and a mean squared norm of one.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        Subtracted from each sample.

    scale : float
        Divisor after that; one if all samples are equal.

    unit : float
        Divisor of samples, mean and scale before anything else.
    """

    mean: np.ndarray
    scale: float
    unit: float

    @classmethod
    def of(cls, X):
        """Learn the scaling of samples.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        scaling : Scaling
            In float64.
        """
        n_samples, unit = X.shape[0], unit_of(max(abs(X.max()), abs(X.min())))
        block = max(1, min(_BLOCK, _NUMBERS // X.shape[1]))

        def blocks():
            for start in range(0, n_samples, block):
                rows = np.arange(start, min(start + block, n_samples))
                rows = dense_rows(X, rows).astype(np.float64)
                rows /= unit
                yield rows

        mean = sum(rows.sum(axis=0) for rows in blocks()) / n_samples
        norm = np.sqrt(sum(np.square(rows - mean).sum() for rows in blocks()))
        # Deviations of equal samples are nothing but rounding.
        rounding = n_samples * np.finfo(np.float64).eps * np.linalg.norm(mean)
        root = np.sqrt(n_samples)
        scale = float(norm / root) if norm > rounding * root else 1.0
        return cls(mean, scale, unit)

    def apply(self, rows):
        """Scale samples.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            Samples; overwritten, as a batch of wide ones takes much memory.

        Returns
        -------
        rows : ndarray of shape (n_rows, n_features)
            The same array, scaled.
        """
        unit = rows.dtype.type(self.unit)
        for row in rows:  # keeps little in float64 at a time
            row[:] = (row / unit - self.mean) / self.scale
        return rows

    def undo(self, bias):
        """Return a scaled sample in its original unit.

        Parameters
        ----------
        bias : ndarray of shape (n_features,)
            A scaled sample.

        Returns
        -------
        row : ndarray of shape (n_features,)
            Inverse of `apply`.
        """
        return self.unit * (self.mean + self.scale * bias)
