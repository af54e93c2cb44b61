"""Check the indices of sparse matrices."""

from itertools import chain

import numpy as np
from scipy import sparse


def check_structure(X, name="X"):
    """Check that samples are here, and that indices of sparse ones are in their shape.

    SciPy does not check indices that are overwritten, and then reads beyond the data.
    NumPy would compute a collection of dask, which may not fit in memory.

    Parameters
    ----------
    X : object
        Anything but a collection of dask and a sparse matrix in CSR, CSC, BSR, COO or
        LIL form passes.

    name : str, default="X"
        Name for error messages.

    Raises
    ------
    ValueError
        If an index is beyond the shape, pointers fall, or lengths are inconsistent.

    TypeError
        If it is a collection of dask.
    """
    if hasattr(X, "__dask_graph__"):
        raise TypeError(
            f"{name} must be in memory. Got a collection of dask, {type(X).__name__} "
            f"of {type(X).__module__}; use the functions fit, transform and predict of "
            f"sksparse_nn.parallel, or {name}.compute() if it fits."
        )
    if not sparse.issparse(X) or X.ndim != 2:
        return
    if X.format in ("csr", "csc", "bsr"):
        fault = _compressed_fault(X)
    elif X.format == "coo":
        fault = _coordinates_fault(X)
    elif X.format == "lil":
        fault = _lists_fault(X)
    else:
        return
    if fault:
        raise ValueError(
            f"{name} must be a valid sparse matrix in {X.format.upper()} form. {fault};"
            " build it anew from rows, columns and values."
        )


def _compressed_fault(X):
    """Return the fault of compressed rows or columns, if there is one."""
    blocks = X.blocksize if X.format == "bsr" else (1, 1)
    n_major, n_minor = (n // size for n, size in zip(X.shape, blocks, strict=True))
    if X.format == "csc":
        n_major, n_minor = n_minor, n_major
    indptr, indices = X.indptr, X.indices
    if indptr.shape != (n_major + 1,):
        return f"indptr must have {n_major + 1} entries. Got {len(indptr)}"
    if indptr[0] != 0:
        return f"indptr must begin with 0. Got {indptr[0]}"
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if len(falls):
        at = falls[0]
        return f"indptr must not fall. Got {indptr[at]} before {indptr[at + 1]}"
    n_stored = min(len(indices), len(X.data))
    if indptr[-1] > n_stored or len(indices) != len(X.data):
        return (
            f"indptr must end at the number of indices and of values. Got {indptr[-1]},"
            f" {len(indices)} and {len(X.data)}"
        )
    return _range_fault("indices", indices[: indptr[-1]], n_minor)


def _coordinates_fault(X):
    if not len(X.row) == len(X.col) == len(X.data):
        return (
            "There must be equally many rows, columns and values. Got"
            f" {len(X.row)}, {len(X.col)} and {len(X.data)}"
        )
    rows = _range_fault("row", X.row, X.shape[0])
    return rows or _range_fault("col", X.col, X.shape[1])


def _lists_fault(X):
    if any(map(_differ, X.rows, X.data)):
        return "There must be as many columns as values in each row"
    return _range_fault("rows", np.array([*chain(*X.rows)], np.int64), X.shape[1])


def _differ(columns, values):
    return len(columns) != len(values)


def _range_fault(name, indices, n):
    if not len(indices):
        return ""
    lowest, highest = indices.min(), indices.max()
    if lowest >= 0 and highest < n:
        return ""
    beyond = lowest if lowest < 0 else highest
    return f"{name} must be from 0 to {n - 1}. Got {beyond}"
