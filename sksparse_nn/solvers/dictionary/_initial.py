"""Initial atoms: unit vectors, no two alike."""

import numpy as np

from sksparse_nn._read_ahead import take_rows
from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers._threads import single_threaded_blas
from sksparse_nn.solvers.dictionary._distinct import draw_rows
from sksparse_nn.solvers.svd import (
    SOLVERS,
    WeightedRows,
    choose_solver,
    decompose,
    partition_features,
    rank_rule,
    squares_vanish,
)

ALIKE = 0.99  # cosine from which on two atoms are twins
# Rows that "k-means++" chooses from: so many per atom, or so many in all.
_CANDIDATES_AN_ATOM = 20
_CANDIDATES = 10_000
# Of atoms that are converted at a time.
_NUMBERS = 2**20


def init_dictionary(X, weights, n_atoms, rng, *, init="random", positive=False):
    """Make atoms from the rows.

    Where two of them are alike, as all are when the data have a common offset, the
    later one gives up what the earlier one has.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Weights, none below zero.

    n_atoms : int
        Number of atoms; those beyond what the rows give are random directions.

    rng : RandomState instance
        Source of the draw.

    init : {"random", "k-means++", "svd"}, default="random"
        What the atoms are: rows drawn at random, rows far from each other, or singular
        vectors and, beyond their number, rows.

    positive : bool, default=False
        Whether atoms must not have entries below zero.

    Returns
    -------
    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms.
    """
    with single_threaded_blas():
        found = INITS[init](X, weights, n_atoms, rng)
        dictionary = np.empty((n_atoms, X.shape[1]), X.dtype)
        for atom in dictionary:
            atom[:] = rng.standard_normal(X.shape[1])
            atom /= np.sqrt(np.sum(atom**2))
        separate(found, dictionary)
    if positive:
        np.abs(dictionary, out=dictionary)
    return dictionary


def _draw_random_rows(X, weights, n_atoms, rng):
    picked, _ = draw_rows(X, weights, n_atoms, rng)
    return read_rows(take_rows(X, picked), slice(None)).pick(slice(None))


def _draw_far_rows(X, weights, n_atoms, rng):
    """Draw rows one after another by their squared distance from the lines so far.

    A row and its negative are one line. Distances are those of unit rows.
    """
    n_candidates = max(_CANDIDATES_AN_ATOM * n_atoms, _CANDIDATES)
    picked, totals = draw_rows(X, weights, n_candidates, rng)
    rows = read_rows(take_rows(X, picked), slice(None))
    far = np.ones(len(picked))
    chosen = []
    for _ in range(min(n_atoms, len(picked))):
        chances = np.cumsum(totals * far)
        if not chances.size or chances[-1] <= 0:
            break
        new = np.searchsorted(chances, rng.uniform() * chances[-1], side="right")
        chosen.append(min(new, len(picked) - 1))
        atom = rows.pick(chosen[-1:]).astype(X.dtype)
        cosines = rows.times(np.ascontiguousarray(atom.T))[:, 0].astype(float)
        far = np.minimum(far, np.maximum(1 - cosines**2, 0))
        far[chosen] = 0
    return rows.pick(chosen)


def _compute_singular_vectors(X, weights, n_atoms, rng):
    rule = rank_rule(min(n_atoms, *X.shape))
    if squares_vanish(X):  # the unit changes no direction
        X = X.copy()
        X = X * 2.0**600
    rows = WeightedRows(X, weights, partition_features(None, X.shape[1]))
    solver = SOLVERS.make(choose_solver(rows, rule), {"tol": 0.1, "random_state": rng})
    found = decompose(solver, solver.prepare(rows), rows.partition, rule)
    vectors = found.components[found.singular_values > 0].astype(np.float64)
    others = _draw_random_rows(X, weights, n_atoms - len(vectors), rng)
    return np.vstack([vectors, others])


INITS = {
    "random": _draw_random_rows,
    "k-means++": _draw_far_rows,
    "svd": _compute_singular_vectors,
}


def normalise_atoms(dictionary):
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
    """Overwrite the first atoms with unit rows, each without its part along a twin.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Unit rows.

    dictionary : ndarray of shape (n_atoms, n_features)
        At least as many atoms as rows; overwritten where a row has something of its
        own, left where it has not.
    """
    for i, row in enumerate(rows[: len(dictionary)]):
        alike = compute_cosines(dictionary[:i], row)
        nearest = np.argmax(np.abs(alike)) if i else 0
        if i and abs(alike[nearest]) > ALIKE:
            row = row - alike[nearest] * dictionary[nearest]
        norm = np.linalg.norm(row)
        if norm > 100 * np.finfo(dictionary.dtype).eps:
            dictionary[i] = row / norm


def compute_cosines(atoms, row):
    """Multiply atoms by a row, some at a time as they are converted to its type.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms, n_features)
        Unit atoms.

    row : ndarray of shape (n_features,)
        Of unit norm.

    Returns
    -------
    products : ndarray of shape (n_atoms,)
        In the wider of the two types.
    """
    blocks = block_slices(len(atoms), max(1, _NUMBERS // len(row))) or [slice(0)]
    return np.concatenate([atoms[some] @ row for some in blocks])
