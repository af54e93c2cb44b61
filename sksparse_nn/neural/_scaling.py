"""Rows brought to mean zero and a mean squared norm of one."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.neural._batches import dense_rows
from sksparse_nn.neural._unit import unit_of


@dataclass(frozen=True)
class Scaling:
    """What brings rows to mean zero and a mean squared norm of one.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        Taken off each row.

    scale : float
        What rows are divided by then: one where they are all equal.

    unit : float
        What rows, mean and scale are divided by before anything else.
    """

    mean: np.ndarray
    scale: float
    unit: float

    @classmethod
    def of(cls, X, block=4096):
        """Measure rows.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.

        block : int, default=4096
            Rows that are made dense at a time.

        Returns
        -------
        scaling : Scaling
            In float64.
        """
        n_samples, unit = X.shape[0], unit_of(max(abs(X.max()), abs(X.min())))

        def blocks():
            for start in range(0, n_samples, block):
                rows = np.arange(start, min(start + block, n_samples))
                yield dense_rows(X, rows).astype(np.float64) / unit

        mean = sum(rows.sum(axis=0) for rows in blocks()) / n_samples
        norm = np.sqrt(sum(np.square(rows - mean).sum() for rows in blocks()))
        # Of equal rows, rounding is all the deviation there is.
        rounding = n_samples * np.finfo(np.float64).eps * np.linalg.norm(mean)
        root = np.sqrt(n_samples)
        scale = float(norm / root) if norm > rounding * root else 1.0
        return cls(mean, scale, unit)

    def apply(self, rows):
        """Scale rows.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        rows : ndarray of shape (n_rows, n_features)
            Scaled, in their own float type.
        """
        scaled = (rows / rows.dtype.type(self.unit) - self.mean) / self.scale
        return scaled.astype(rows.dtype)

    def undo(self, bias):
        """Return a row in the unit of the rows.

        Parameters
        ----------
        bias : ndarray of shape (n_features,)
            A scaled row.

        Returns
        -------
        row : ndarray of shape (n_features,)
            What `apply` makes that of.
        """
        return self.unit * (self.mean + self.scale * bias)
