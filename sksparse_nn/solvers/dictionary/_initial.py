"""Where the atoms start: rows of the data, no two alike."""

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers._threads import single_threaded_blas

ALIKE = 0.99  # cosine from which on two atoms are twins
_SAME = 1e-6  # of unit rows; nearer ones are taken for the same row


def initial_dictionary(X, weights, n_atoms, rng, *, positive=False):
    """Draw atoms from the rows.

    Rows are drawn without replacement, each direction with the total weight of the rows
    that have it: so the outcome depends on the order of the rows as little as on
    whether a row is repeated or weighted. Where two of them are alike, as all are when
    the data have a common offset, the later one gives up what the earlier one has.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Weights, none below zero.

    n_atoms : int
        Number of atoms; those beyond the number of distinct rows are random directions.

    rng : RandomState instance
        Source of the draw.

    positive : bool, default=False
        Whether atoms must not have entries below zero.

    Returns
    -------
    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms.
    """
    picked = _draw_rows(X, weights, n_atoms, rng)
    dictionary = rng.standard_normal((n_atoms, X.shape[1])).astype(X.dtype)
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    with single_threaded_blas():
        separate(read_rows(X, picked).pick(slice(None)), dictionary)
    if positive:
        np.abs(dictionary, out=dictionary)
    return dictionary


def _draw_rows(X, weights, n_atoms, rng):
    """Return the indices of at most `n_atoms` rows of different directions."""
    order, leaders, totals = _distinct_directions(X, weights, rng)
    keys = rng.exponential(size=len(leaders)) / totals
    return order[leaders[np.argsort(keys)[:n_atoms]]]


def _distinct_directions(X, weights, rng):
    """Sort rows along a random line and group the equal ones, which are neighbours."""
    line = rng.standard_normal((X.shape[1], 1)).astype(X.dtype)
    line /= np.linalg.norm(line)
    places, norms = np.empty(len(weights), X.dtype), np.empty(len(weights))
    for which in block_slices(len(weights)):
        rows = read_rows(X, which)
        places[which], norms[which] = rows.times(line)[:, 0], rows.norms
    order = np.argsort(places, kind="stable")
    order = order[(weights * norms)[order] > 0]
    starts = np.diff(places[order].astype(float), prepend=-np.inf) > _SAME
    leaders = np.flatnonzero(starts)
    totals = np.add.reduceat(weights[order], leaders) if len(leaders) else leaders
    return order, leaders, totals


def unit_atoms(dictionary):
    """Return a copy with atoms of unit norm; a zero atom stays zero.

    Parameters
    ----------
    dictionary : ndarray of shape (n_atoms, n_features)
        Of a float type.

    Returns
    -------
    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms.
    """
    return read_rows(dictionary, slice(None)).unit


def separate(rows, dictionary):
    """Write unit rows over the first atoms, each without what an alike one has.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Unit rows.

    dictionary : ndarray of shape (n_atoms, n_features)
        At least as many atoms as rows; overwritten where a row has something of its
        own, left where it has not.
    """
    for i, row in enumerate(rows):
        cosines = dictionary[:i] @ row
        nearest = np.argmax(np.abs(cosines)) if i else 0
        if i and abs(cosines[nearest]) > ALIKE:
            row = row - cosines[nearest] * dictionary[nearest]
        norm = np.linalg.norm(row)
        if norm > 100 * np.finfo(dictionary.dtype).eps:
            dictionary[i] = row / norm
