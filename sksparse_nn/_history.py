"""The record of a fit: one array per quantity, one entry per epoch."""

from numbers import Number

import numpy as np


def add_epochs(history, records):
    """Add epochs to a record.

    Parameters
    ----------
    history : dict of ndarray
        Of the epochs so far, all of one length.

    records : list of dict
        Quantities of each further epoch by name.

    Returns
    -------
    history : dict of ndarray
        Of all epochs; NaN is what an epoch lacks.
    """
    n_epochs = len(next(iter(history.values()), ()))
    names = dict.fromkeys([*history, *(name for row in records for name in row)])
    columns = {
        name: _column(row.get(name, np.nan) for row in records) for name in names
    }
    if n_epochs:
        unknown = np.full(n_epochs, np.nan)
        for name, column in columns.items():
            columns[name] = np.concatenate([history.get(name, unknown), column])
    return columns


def first_epochs(history, n_epochs):
    """Return the record of the first epochs.

    Parameters
    ----------
    history : dict of ndarray
        Of all epochs.

    n_epochs : int
        Number of epochs to keep.

    Returns
    -------
    history : dict of ndarray
        Of these.
    """
    return {name: values[:n_epochs] for name, values in history.items()}


def _column(values):
    values = list(values)
    if all(isinstance(value, Number) for value in values):
        return np.array(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
