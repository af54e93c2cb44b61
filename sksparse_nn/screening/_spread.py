"""Outputs for kept rows, spread over all rows."""

import numpy as np
from scipy import sparse


def spread_over(found, is_kept, X):
    """Spread the outputs of kept rows over all rows, with NaN for the others.

    Parameters
    ----------
    found : ndarray, table, or list of ndarray
        Outputs for the kept rows.

    is_kept : ndarray of bool of shape (n_samples,)
        Which rows they are of.

    X : array-like of shape (n_samples, n_features)
        All rows, whose index a table takes.

    Returns
    -------
    outputs : ndarray, table, or list of ndarray
        Integers become float64, and texts objects, so that they can be NaN.

    Raises
    ------
    TypeError
        If the outputs are sparse.
    """
    if isinstance(found, list):
        return [spread_over(part, is_kept, X) for part in found]
    if sparse.issparse(found):
        raise TypeError(
            "on_excluded='nan' needs dense output. Got a sparse matrix; set the "
            "parameter of the estimator that makes it dense, or another on_excluded."
        )
    if hasattr(found, "columns"):
        values = spread_over(found.to_numpy(), is_kept, X)
        index = getattr(X, "index", None)
        return type(found)(values, columns=found.columns, index=index)
    return fill(np.asarray(found), is_kept)


def fill(found, is_kept):
    """Return an array of NaN with the rows of another at given places.

    Parameters
    ----------
    found : ndarray of shape (n_kept, ...)
        Some rows.

    is_kept : ndarray of bool of shape (n_samples,)
        Where they belong.

    Returns
    -------
    outputs : ndarray of shape (n_samples, ...)
        All rows.
    """
    kinds = {"f": found.dtype, "b": np.float64, "i": np.float64, "u": np.float64}
    dtype = kinds.get(found.dtype.kind, object)
    outputs = np.full((len(is_kept), *found.shape[1:]), np.nan, dtype=dtype)
    outputs[is_kept] = found
    return outputs
