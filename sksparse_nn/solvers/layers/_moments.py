"""Means and covariances of rows that come block by block."""

import numpy as np


class Moments:
    """Weighted mean and covariance of rows, added up block by block.

    Sums are taken from the first row, so that large means cancel no digits and columns
    that never vary have a variance of zero to the last bit.
    """

    def __init__(self):
        self._origin, self._total, self._sum, self._squares = None, 0.0, 0.0, 0.0

    def add(self, rows, weight=None):
        """Add rows.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_columns)
            At least one in the first block.

        weight : ndarray of shape (n_rows,) or None, default=None
            Their weights.
        """
        if self._origin is None:
            self._origin = rows[0].astype(np.float64)
        rows = rows - self._origin
        weighted = rows if weight is None else weight[:, None] * rows
        self._total += len(rows) if weight is None else weight.sum()
        self._sum = self._sum + weighted.sum(axis=0)
        self._squares = self._squares + weighted.T @ rows

    @property
    def mean(self):
        """Return the weighted mean.

        Returns
        -------
        mean : ndarray of float64 of shape (n_columns,)
            Of all rows.
        """
        return self._origin + self._sum / self._total

    @property
    def covariance(self):
        """Return the weighted covariance.

        Returns
        -------
        covariance : ndarray of float64 of shape (n_columns, n_columns)
            Of all rows, from their mean.
        """
        mean = self._sum / self._total
        return self._squares / self._total - np.outer(mean, mean)
