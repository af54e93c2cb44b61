"""What becomes numbers though it is none: dates, text, entries behind a mask."""

import numpy as np

from sksparse_nn._warnings import warn

# How the types of columns begin in pandas, in Arrow and in Polars.
_TIMES = ("date", "time", "duration", "period", "interval")
_TEXTS = ("object", "str", "category", "large_string", "categorical", "enum")


def check_kind(X):
    """Refuse what NumPy would turn into numbers that mean nothing.

    Parameters
    ----------
    X : array, sparse matrix or table
        What a user hands in as samples.

    Returns
    -------
    X : array, sparse matrix or table
        The same, without its mask where nothing is masked.

    Raises
    ------
    ValueError
        If there are dates, times, masked entries, or an array of text.
    """
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        _check_columns(X)
    elif np.ma.isMaskedArray(X):
        return check_kind(_without_mask(X))
    elif hasattr(X, "dtype"):
        _check_array(X)
    return X


def _check_columns(X):
    kinds = dict(zip(X.columns, (str(d).lower() for d in X.dtypes), strict=False))
    times = [column for column, kind in kinds.items() if kind.startswith(_TIMES)]
    if times:
        raise ValueError(
            f"X must hold numbers. {_named(times)} of dates or times "
            f"({kinds[times[0]]}); turn them into numbers first, such as days since a "
            "date, or leave them out."
        )
    texts = [column for column, kind in kinds.items() if kind.startswith(_TEXTS)]
    texts = [column for column in texts if _has_text(X[column])]
    if texts:
        warn(
            f"{_named(texts)} of text, which is read as numbers. Convert it first, or "
            "encode it if it names categories.",
        )


def _named(columns):
    shown = [str(column) for column in columns[:5]]
    more = ", ..." if len(columns) > 5 else ""
    return f"Columns [{', '.join(shown)}{more}] are"


def _check_array(X):
    kind = getattr(X.dtype, "kind", None)
    if kind in ("m", "M"):
        raise ValueError(
            f"X must hold numbers. Got dates or times ({X.dtype}); turn them into "
            "numbers first, such as days since a date."
        )
    if kind in ("U", "S", "T"):
        raise ValueError(
            f"X must hold numbers. Got text ({X.dtype}); convert it first, such as by "
            "X.astype(float)."
        )
    if kind == "O" and _has_text(X):
        warn(
            "X holds text, which is read as numbers. Convert it first, such as by "
            "X.astype(float).",
        )


def _has_text(values):
    return any(isinstance(value, str | bytes) for value in np.asarray(values).flat)


def _without_mask(X):
    n_masked = np.ma.count_masked(X)
    if n_masked:
        raise ValueError(
            f"X must have no masked entries. Got {n_masked}; fill them, such as by "
            "SimpleImputer after X.filled(np.nan)."
        )
    return np.ma.getdata(X)
