"""Codes of rows with missing values, from the features that are present.

A row with missing values is coded as a row of fewer features, with atoms restricted to
them. Rows that lack the same features share one restricted dictionary.
"""

import numpy as np
from scipy import sparse

from sksparse_nn._picked_rows import PickedRows, is_sparse
from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers.coding._base import Codes

_VALUES = 2**20  # that are looked at in one go


def has_missing(X):
    """Return whether a matrix has NaN among its stored values."""
    if isinstance(X, PickedRows) and is_sparse(X):
        blocks = (X[which] for which in block_slices(len(X)))
        return has_missing(X.whole) and any(map(has_missing, blocks))
    values = X.data if sparse.issparse(X) else X
    if values.size <= _VALUES:
        return bool(np.isnan(values).any())
    size = max(1, _VALUES // (X.shape[1] if values.ndim > 1 else 1) or 1)
    starts = range(0, len(values), size)
    return any(np.isnan(values[start : start + size]).any() for start in starts)


def encode_rows(coder, atoms, X, start=None):
    """Code a block of rows, each from the features that it has.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    atoms : Atoms
        From `prepare`.

    X : ndarray or CSR matrix of shape (n_rows, n_features)
        Rows, NaN where a value is missing.

    start : tuple of ndarray or None, default=None
        Codes to start from, as `compress_codes` returns them.

    Returns
    -------
    codes : Codes
        In terms of the unit atoms.
    """
    if not has_missing(X):
        return coder.encode(atoms, read_rows(X, slice(None)), start)
    return _encode_by_pattern(atoms, X, lambda *part: [coder.encode(*part)], coder)[0]


def encode_rows_path(coder, atoms, X, values):
    """Code a block of rows for several values of the path parameter.

    Parameters
    ----------
    coder, atoms, X
        As in `encode_rows`.

    values : sequence
        Values of the parameter.

    Returns
    -------
    path : list of Codes
        For each value.
    """

    def encode(*part):
        return coder.encode_path(*part, values)

    if not has_missing(X):
        return encode(atoms, read_rows(X, slice(None)))
    return _encode_by_pattern(atoms, X, encode, coder)


def _encode_by_pattern(atoms, X, encode, coder):
    """Code the rows of each pattern of missing values with restricted atoms."""
    missing = _mark_missing(X)
    patterns, of_row = np.unique(missing, axis=0, return_inverse=True)
    parts = []
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(of_row.ravel() == number)
        seen = np.flatnonzero(~pattern)
        if not len(seen):
            seen, block = np.arange(1), np.zeros((len(rows), 1), X.dtype)
        else:
            block = X[rows][:, seen]
        rest = coder.prepare(np.ascontiguousarray(atoms.given[:, seen]))
        path = encode(rest, read_rows(block, slice(None)))
        parts.append(
            (rows, [_scale_to_whole_atoms(c, rest, atoms, coder) for c in path])
        )
    return [
        _join_rows([(rows, path[place]) for rows, path in parts], len(of_row))
        for place in range(len(parts[0][1]))
    ]


def _mark_missing(X):
    if not sparse.issparse(X):
        return np.isnan(X)
    marks = X.copy()
    marks.data = np.isnan(X.data)
    return marks.astype(bool).toarray()


def _scale_to_whole_atoms(codes, rest, atoms, coder):
    """Turn codes of restricted unit atoms into codes of the whole unit atoms."""
    if not coder.weights_atoms:
        return codes
    factors = atoms.norms / np.where(rest.norms > 0, rest.norms, 1)
    values = np.where(codes.used(), codes.values, 0)
    indices = np.where(codes.used(), codes.indices, 0)
    return codes._replace(values=(values * factors[indices]).astype(values.dtype))


def _join_rows(parts, n_rows):
    """Join codes of groups of rows into one block."""
    room = max(codes.indices.shape[1] for _, codes in parts)
    first = parts[0][1]
    whole = Codes(
        np.empty(n_rows, first.counts.dtype),
        np.zeros((n_rows, room), first.indices.dtype),
        np.zeros((n_rows, room), first.values.dtype),
        np.empty(n_rows),
    )
    for rows, codes in parts:
        whole.counts[rows] = codes.counts
        whole.gaps[rows] = codes.gaps
        whole.indices[rows, : codes.indices.shape[1]] = codes.indices
        whole.values[rows, : codes.values.shape[1]] = codes.values
    return whole


def copy_if_missing(X):
    """Return a copy of rows to fill if values are missing, else the rows themselves."""
    return X.copy() if has_missing(X) else X


def fill_missing(X, which, codes, atoms):
    """Fill missing values of some rows with their reconstruction from codes.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows; NaN among those that are named is overwritten.

    which : slice
        The rows.

    codes : Codes
        Their codes.

    atoms : Atoms
        The atoms.
    """
    block = X[which]
    rows, columns = np.nonzero(_mark_missing(block))
    values = np.where(codes.used(), codes.values, 0)[rows]
    of_atoms = np.where(codes.used(), codes.indices, 0)[rows]
    guesses = (values * atoms.unit[of_atoms, columns[:, None]]).sum(axis=1)
    if sparse.issparse(X):
        entries = slice(X.indptr[which.start], X.indptr[which.stop])
        X.data[entries][np.isnan(X.data[entries])] = guesses
    else:
        block[rows, columns] = guesses


def fill_with_means(X):
    """Fill the missing values of a copy with the means of their columns.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows; the zeros that a CSR matrix does not store count.

    Returns
    -------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Without NaN; zero where a column has nothing.
    """
    filled = X.copy()
    if sparse.issparse(filled):
        values, columns = filled.data, filled.indices
    else:
        values, columns = filled.ravel(), np.arange(X.size) % X.shape[1]
    gaps = np.isnan(values)
    sums = np.bincount(columns, np.where(gaps, 0, values), minlength=X.shape[1])
    n_there = X.shape[0] - np.bincount(columns[gaps], minlength=X.shape[1])
    means = sums / np.maximum(n_there, 1)
    values[gaps] = means[columns[gaps]]
    return filled
