"""What ``solver="auto"`` does: products of features where they are proven to do."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.svd._choice import choose_solver
from sksparse_nn.solvers.svd._decomposition import decompose
from sksparse_nn.solvers.svd._gram import are_proven

# Widest rows of large data whose products are tried before anything else.
_WIDEST = 512

# Multiply-adds that LAPACK is done with before products could be tried.
_TINY = 2**18


def decompose_by_best(rows, rule, solvers, parameters):
    """Decompose rows by the fastest solver that keeps their digits.

    Tall rows are multiplied first, in their own type, then in float64, and are left to
    LAPACK only where neither is proven to be enough.

    Parameters
    ----------
    rows : WeightedRows
        The data.

    rule : RankRule
        How many components to keep.

    solvers : Registry
        The solvers by name.

    parameters : dict
        Their parameters.

    Returns
    -------
    name : str
        The solver whose result it is.

    decomposition : Decomposition
        What it found.

    moments : Moments or None
        See `SVDSolver.moments`.
    """
    name, n_passes, moments = choose_solver(rows, rule), 0, None
    if _are_worth_a_try(rows, name):
        for is_exact in (False, True):
            gram = solvers.make("gram", parameters | {"is_exact": is_exact})
            moments = gram.prepare(rows)
            found = decompose(gram, moments, rows.partition, rule)
            n_passes += found.n_passes
            if are_proven(moments, found, center=gram.center):
                return "gram", replace(found, n_passes=n_passes), moments
            if moments.rounding < np.finfo(np.float32).eps:  # no float64 would help
                break
        name = "exact"
    solver = solvers.make(name, parameters)
    state = solver.prepare(rows)
    found = decompose(solver, state, rows.partition, rule)
    if moments is None:
        moments = solver.moments(rows, state)
    return name, replace(found, n_passes=found.n_passes + n_passes), moments


def _are_worth_a_try(rows, name):
    """Tell whether products of features may do, and are quicker where they do."""
    n_rows, n_features = rows.X.shape
    widest = rows.partition.widest
    if widest > n_rows or n_rows * n_features * widest <= _TINY:
        return False
    is_one = widest == n_features and not sparse.issparse(rows.X)
    return name == "exact" or (is_one and widest <= _WIDEST)
