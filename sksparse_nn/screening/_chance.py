"""What is to be expected by chance: equal rows, and rows of one value."""

import numpy as np

# Values that could fill a row: the commonest of the column that has the fewest.
_MOST_VALUES = 256


def expect_duplicates(runs, shares, n_rows):
    """Return how many pairs of rows would be equal if columns were independent.

    Parameters
    ----------
    runs : Runs
        Values of the columns of numbers.

    shares : list of float
        Probability that two cells are equal, for each further column.

    n_rows : int
        Number of rows.

    Returns
    -------
    n_pairs : float
        The expected number.
    """
    pairs = runs.weights * (runs.weights - 1)
    equal = np.bincount(runs.columns, pairs, runs.n_columns)
    total = np.maximum(runs.totals * (runs.totals - 1), 1)
    shares = np.concatenate([equal / total, shares])
    with np.errstate(divide="ignore"):
        log_share = np.log(shares).sum()
    return float(np.exp(np.log(max(n_rows, 1)) * 2 - np.log(2) + log_share))


def expect_constants(runs, n_rows):
    """Return how many rows would hold one value if columns were independent.

    Parameters
    ----------
    runs : Runs
        Values of the columns.

    n_rows : int
        Number of rows.

    Returns
    -------
    n_constants : float
        The expected number.
    """
    if not runs.n_columns:
        return 0.0
    n_values = np.bincount(runs.columns, minlength=runs.n_columns)
    is_narrowest = runs.columns == n_values.argmin()
    order = np.argsort(-runs.weights[is_narrowest], kind="stable")[:_MOST_VALUES]
    candidates = np.sort(runs.values[is_narrowest][order])
    is_candidate = np.isin(runs.values, candidates)
    columns, values = runs.columns[is_candidate], runs.values[is_candidate]
    at = np.searchsorted(candidates, values)
    logs = np.log(runs.weights[is_candidate] / runs.totals[columns])
    is_everywhere = np.bincount(at, minlength=len(candidates)) == runs.n_columns
    sums = np.bincount(at, logs, minlength=len(candidates))[is_everywhere]
    return float(n_rows * np.exp(sums).sum())
