"""What columns of numbers hold: weights of their values, and quantiles."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Runs:
    """Distinct finite values of each column, in ascending order, with their weights.

    Attributes
    ----------
    columns : ndarray of int of shape (n_runs,)
        Column of each value, ascending.

    values : ndarray of shape (n_runs,)
        The values, ascending within a column.

    weights : ndarray of shape (n_runs,)
        Rows that have the value.

    n_columns : int
        Number of columns.
    """

    columns: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    n_columns: int

    @cached_property
    def totals(self):
        """Weight of each column."""  # numpydoc ignore=RT01
        return np.bincount(self.columns, self.weights, self.n_columns)

    def quantile(self, q):
        """Return a quantile of each column.

        Parameters
        ----------
        q : float
            Between 0 and 1.

        Returns
        -------
        values : ndarray of shape (n_columns,)
            The smallest value below or at which lies this share of the weight; NaN in
            columns without values.
        """
        return self._take(self._position(q), self.values)

    def weight_at(self, q):
        """Return the weight of the value that is a quantile.

        Parameters
        ----------
        q : float
            Between 0 and 1.

        Returns
        -------
        weights : ndarray of shape (n_columns,)
            In rows; NaN in columns without values.
        """
        return self._take(self._position(q), self.weights)

    def without(self, values):
        """Leave one value of each column out.

        Parameters
        ----------
        values : ndarray of shape (n_columns,)
            The value; NaN to leave out none.

        Returns
        -------
        runs : Runs
            The others.
        """
        kept = self.values != values[self.columns]
        parts = (self.columns[kept], self.values[kept], self.weights[kept])
        return Runs(*parts, self.n_columns)

    def _position(self, q):
        stops = np.searchsorted(self.columns, np.arange(self.n_columns), side="right")
        sums = np.cumsum(self.weights)
        before = np.cumsum(self.totals) - self.totals
        at = np.searchsorted(sums, before + q * self.totals, side="left")
        # Where a sum ends with the column before, the first value is meant.
        starts = np.concatenate([[0], stops[:-1]])
        return np.clip(at, starts, np.maximum(stops - 1, starts))

    def _take(self, at, what):
        taken = np.full(self.n_columns, np.nan)
        has_values = self.totals > 0
        taken[has_values] = what[at[has_values]]
        return taken


def list_runs(numbers, counts):
    """List the distinct finite values of all columns.

    Parameters
    ----------
    numbers : ndarray or CSR matrix of shape (n_rows, n_columns)
        Rows.

    counts : ndarray of int of shape (n_rows,)
        How often each row counts.

    Returns
    -------
    runs : Runs
        The values; zeros that a CSR matrix does not store count too.
    """
    n_columns = numbers.shape[1]
    rows, columns, values = _list_cells(numbers)
    weights = counts[rows].astype(np.float64)
    is_number = np.isfinite(values)
    filled = np.bincount(columns, weights, n_columns)
    columns, values, weights = (part[is_number] for part in (columns, values, weights))
    zeros = counts.sum() - filled
    has_zeros = np.flatnonzero(zeros > 0)
    columns = np.concatenate([columns, has_zeros])
    values = np.concatenate([values, np.zeros(len(has_zeros))])
    weights = np.concatenate([weights, zeros[has_zeros]])
    return _join_equal(columns, values, weights, n_columns)


def _list_cells(numbers):
    """Return row, column and value of all cells that are not zero."""
    if sparse.issparse(numbers):
        rows = np.repeat(np.arange(numbers.shape[0]), np.diff(numbers.indptr))
        return rows, numbers.indices, numbers.data.astype(np.float64)
    rows, columns = np.nonzero(numbers)
    return rows, columns, numbers[rows, columns].astype(np.float64)


def _join_equal(columns, values, weights, n_columns):
    order = np.lexsort((values, columns))
    columns, values, weights = columns[order], values[order], weights[order]
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = (columns[1:] != columns[:-1]) | (values[1:] != values[:-1])
    run = np.cumsum(is_first) - 1
    joined = np.bincount(run, weights) if len(run) else weights
    return Runs(columns[is_first], values[is_first], joined, n_columns)
