"""Replacement of unused atoms by rows with large errors."""

import numpy as np

from sksparse_nn.solvers.dictionary._initial import ALIKE, compute_cosines

# Shares of the mean use. A new atom has some mini-batches to find rows of its own.
_DEAD = 0.05
_GRACE = 0.1
_OWN = 1e-5  # of a unit row; less than that beside an atom is rounding


def find_idle_atoms(gram, usage):
    """Find the atoms that are dead, and of each pair of twins the less used one.

    Parameters
    ----------
    gram : ndarray of shape (n_atoms, n_atoms)
        Products of the unit atoms.

    usage : ndarray of shape (n_atoms,)
        Decayed weight of the rows that use each.

    Returns
    -------
    idle : ndarray of shape (n_idle,)
        Their indices.
    """
    dead = usage <= _DEAD * usage.mean()
    rank = np.empty(len(usage), int)
    rank[np.argsort(-usage, kind="stable")] = np.arange(len(usage))
    alike = (np.abs(gram) > ALIKE) & ~dead[:, None] & ~dead
    outdone = alike & (rank[:, None] > rank)
    return np.flatnonzero(dead | outdone.any(axis=1))


def compute_grace(usage):
    """Return the usage that a new atom is given.

    Parameters
    ----------
    usage : ndarray of shape (n_atoms,)
        Decayed weight of the rows that use each atom.

    Returns
    -------
    use : float
        In the same units.
    """
    return _GRACE * usage.mean()


def replace_atoms(dictionary, idle, rows):
    """Replace idle atoms with rows, no two of them alike.

    A row that is like an atom in use gives up what that atom has: all rows are alike
    when the data have a common offset.

    Parameters
    ----------
    dictionary : ndarray of shape (n_atoms, n_features)
        Unit atoms; overwritten.

    idle : ndarray of shape (n_idle,)
        Atoms that may be replaced.

    rows : iterable of ndarray of shape (n_features,)
        Unit rows, those with the largest errors first.

    Returns
    -------
    replaced : ndarray of shape (n_replaced,)
        The replaced atoms, which are the first of `idle`.
    """
    new = np.zeros((len(idle), dictionary.shape[1]), dictionary.dtype)
    n_new = 0
    for row in rows:
        if n_new == len(idle):
            break
        row, norm = _subtract_alike(row, dictionary, idle)
        cosines = compute_cosines(new[:n_new], row)
        if norm > _OWN and not np.any(np.abs(cosines) > ALIKE):
            new[n_new] = row
            n_new += 1
    replaced = idle[:n_new]
    dictionary[replaced] = new[:n_new]
    return replaced


def _subtract_alike(row, atoms, idle):
    alike = compute_cosines(atoms, row)
    alike[idle] = 0
    nearest = np.argmax(np.abs(alike))
    if abs(alike[nearest]) > ALIKE:
        row = row - alike[nearest] * atoms[nearest]
    norm = np.linalg.norm(row)
    return row / (norm or 1), norm
