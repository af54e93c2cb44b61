"""Rows that an estimator can take: medians in place of what is no finite number."""

import numpy as np
from scipy import sparse


def repair(X, samples, middle, keep_missing):
    """Replace missing and infinite numbers by the medians of their columns.

    Parameters
    ----------
    X : array, sparse matrix or table of shape (n_samples, n_features)
        Rows as they were handed in.

    samples : Samples
        The same rows.

    middle : ndarray of shape (n_numbers,)
        Median of each column of numbers.

    keep_missing : bool
        Whether to replace infinite numbers only.

    Returns
    -------
    X : array, sparse matrix or table
        The input itself if there is nothing to replace, or else a copy.
    """
    numbers, test = samples.numbers, np.isinf if keep_missing else _is_no_number
    values = numbers.data if sparse.issparse(numbers) else numbers
    mask = test(values) if values.dtype.kind == "f" else np.zeros(1, dtype=bool)
    if not mask.any():
        return X
    numbers = numbers.copy()
    if sparse.issparse(numbers):
        numbers.data[mask] = middle[numbers.indices[mask]]
        return numbers
    rows, columns = np.nonzero(mask)
    numbers[rows, columns] = middle[columns]
    if not hasattr(X, "isetitem"):
        return numbers if len(samples.columns) == len(samples.kinds) else X
    X = X.copy()
    for column in np.unique(columns):
        X.isetitem(samples.columns[column], numbers[:, column])
    return X


def _is_no_number(values):
    return ~np.isfinite(values)
