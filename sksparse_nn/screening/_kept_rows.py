"""The rows that are kept, in the form that they came in."""

import numpy as np
from sklearn.utils import _safe_indexing


def take_rows(X, kept):
    """Select rows.

    Parameters
    ----------
    X : array-like, sparse matrix or table of shape (n_samples, ...)
        All rows.

    kept : ndarray of int
        Indices of those to keep.

    Returns
    -------
    rows : array-like, sparse matrix or table
        A CSR matrix if `X` is sparse.
    """
    if hasattr(X, "tocsr"):
        X = X.tocsr()
    elif not hasattr(X, "dtype") and not hasattr(X, "dtypes"):
        X = np.asarray(X)
    return _safe_indexing(X, kept)


def take_labels(y, kept):
    """Select labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        All labels.

    kept : ndarray of int
        Indices of those to keep.

    Returns
    -------
    labels : array-like or None
        Objects, which labels are where some of them were missing, in the type that
        the kept ones have in common.
    """
    if y is None:
        return None
    labels = take_rows(y, kept)
    if hasattr(labels, "dtypes") and hasattr(labels, "columns"):
        return labels
    if not isinstance(labels.dtype, np.dtype) or labels.dtype.kind != "O":
        return labels
    plain = np.array(np.asarray(labels).tolist())
    return plain if plain.dtype.kind in "biufU" else labels
