"""A sample of rows that does not depend on their order or on repeated rows."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from sksparse_nn._read_ahead import take_rows
from sksparse_nn.solvers._rows import block_slices, read_rows


class Sample(NamedTuple):
    """Some rows of a matrix."""

    indices: np.ndarray  # (n_drawn,)
    weights: np.ndarray  # (n_drawn,)
    X: np.ndarray | sparse.csr_matrix  # (n_drawn, n_features)


def draw_sample(X, weights, n_wanted, rng):
    """Take all rows if they are few, and otherwise draw some by weight.

    Rows are sorted along a random line, where copies of a row are neighbours. So a
    repeated row is drawn as one row of the same total weight is.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Rows.

    weights : ndarray of shape (n_samples,)
        Weights of the rows, above zero.

    n_wanted : int
        Maximum number of rows.

    rng : RandomState instance
        Source of randomness.

    Returns
    -------
    sample : Sample
        Rows in their order along the line.
    """
    line = rng.standard_normal((X.shape[1], 1)).astype(X.dtype)
    places = np.empty(len(weights))
    for which in block_slices(len(weights)):
        rows = read_rows(X, which)
        places[which] = rows.times(line)[:, 0] * rows.norms
    order = np.argsort(places, kind="stable")
    del places
    if len(order) > n_wanted:
        ends = weights[order]
        np.cumsum(ends, out=ends)
        marks = (np.arange(n_wanted) + rng.random_sample(n_wanted)) / n_wanted
        order = order[np.searchsorted(ends[:-1], marks * ends[-1], side="right")]
        return Sample(order, np.ones(len(order)), take_rows(X, order))
    return Sample(order, weights[order], take_rows(X, order))
