"""The penalty or level at which codes have a given mean number of nonzeros."""

from dataclasses import replace

import numpy as np

from sksparse_nn._read_ahead import take_rows
from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers.coding._base import prepare_atoms
from sksparse_nn.solvers.coding._nothing import find_largest_alpha

# Rows that are coded, halvings of the range, and the range itself, as a share.
_ROWS = 1024
_HALVINGS = 24
_RANGE = 1e-6


def find_alpha(coder, dictionary, X, weights, n_active):
    """Find the alpha for a mean number of nonzeros.

    Parameters
    ----------
    coder : AbstractCoder
        An algorithm that reads `alpha`.

    dictionary : ndarray of shape (n_atoms, n_features)
        Atoms of any norm.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows, of which some are coded.

    weights : ndarray of shape (n_samples,)
        Weights of the rows.

    n_active : float
        Mean number of nonzeros per row.

    Returns
    -------
    alpha : float
        The smallest one, to a millionth, at which rows have no more nonzeros; `alpha`
        of the coder if all rows are zero.
    """
    chosen = np.unique(np.linspace(0, X.shape[0] - 1, _ROWS).astype(int))
    X, weights = take_rows(X, chosen), weights[chosen]
    high = find_largest_alpha(coder, dictionary, X)
    if not high > 0:
        return coder.alpha
    atoms, low = prepare_atoms(coder, dictionary, X.dtype), _RANGE * high
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(low * high))
        counts = _count(replace(coder, alpha=middle), atoms, X)
        if np.average(counts, weights=weights) > n_active:
            low = middle
        else:
            high = middle
    return float(high)


def _count(coder, atoms, X):
    """Count the nonzeros of each row."""
    counts = [
        coder.encode(atoms, read_rows(X, which)).counts
        for which in block_slices(X.shape[0])
    ]
    return np.concatenate(counts)
