"""Codes that are all zero, as the penalty or the level is too large."""

import numpy as np

from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers.coding._base import prepare_atoms


def describe_zero_codes(coder, dictionary, X):
    """Describe which alpha would give nonzeros, if the codes of all rows are zero.

    This is decided by products of rows and atoms, block by block until there is a
    nonzero. For most data the first block is enough.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type, without NaN.

    Returns
    -------
    text : str
        For a warning; empty where codes say something, or all rows are zero.
    """
    largest = 0.0
    for useful in _useful_alphas(coder, dictionary, X):
        if useful > coder.alpha:
            return ""
        largest = max(largest, useful)
    if largest == 0:
        return ""
    return (
        f"alpha={coder.alpha:.4g} is too large: the codes of all {X.shape[0]} rows are "
        f"zero. The largest useful alpha, by the products of rows and atoms, is below "
        f"{largest:.4g}; lower alpha."
    )


def find_largest_alpha(coder, dictionary, X):
    """Find the alpha below which some row has a nonzero.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of a float type, without NaN.

    Returns
    -------
    alpha : float
        Zero if all rows are zero.
    """
    return max(_useful_alphas(coder, dictionary, X), default=0.0)


def _useful_alphas(coder, dictionary, X):
    """Yield the alpha for each block below which one of its rows has a nonzero."""
    atoms = prepare_atoms(coder, dictionary, X.dtype)
    levels = coder.levels(atoms)
    if levels is None or not coder.alpha > 0:
        return
    for which in block_slices(X.shape[0]):
        rows = read_rows(X, which)
        products = rows.times(atoms.columns)
        largest = (np.abs(products) if coder.signed else products) * rows.norms[:, None]
        yield coder.alpha * float((largest / levels).max())
