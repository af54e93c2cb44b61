"""Solver "auto": products of features if they are proven sufficient, else others."""

from dataclasses import replace

import numpy as np

from sksparse_nn._picked_rows import is_sparse
from sksparse_nn.solvers.svd._choice import choose_solver
from sksparse_nn.solvers.svd._decomposition import decompose
from sksparse_nn.solvers.svd._gram import are_proven

# Widest rows of large data whose products are tried first.
_WIDEST = 512

# Rows and multiply-adds for which LAPACK is faster than trying products.
_FEW_ROWS = 1000
_LITTLE = 2**18


def decompose_by_best(rows, rule, solvers, parameters):
    """Decompose rows with the fastest solver that preserves accuracy.

    For tall data, products of features are tried in their own type and then in float64;
    LAPACK is used only if neither is proven sufficient.

    Parameters
    ----------
    rows : WeightedRows
        The data.

    rule : RankRule
        Number of components to keep.

    solvers : Registry
        The solvers by name.

    parameters : dict
        Their parameters.

    Returns
    -------
    name : str
        Name of the solver that was used.

    decomposition : Decomposition
        The result.

    moments : Moments or None
        See `SVDSolver.moments`.
    """
    name, n_passes, moments = choose_solver(rows, rule), 0, None
    if _are_worth_a_try(rows, name):
        for is_exact in (False, True):
            gram = solvers.make("gram", parameters | {"is_exact": is_exact})
            moments = gram.prepare(rows)
            found = decompose(gram, moments, rows.partition, rule)
            if are_proven(moments, found, center=gram.center):
                return "gram", _add_passes(n_passes, found), moments
            n_passes += found.n_passes
            if moments.rounding < np.finfo(np.float32).eps:  # no float64 would help
                break
        name = "exact"
    solver = solvers.make(name, parameters)
    state = solver.prepare(rows)
    found = decompose(solver, state, rows.partition, rule)
    if moments is None:
        moments = solver.moments(rows, state)
    return name, _add_passes(n_passes, found), moments


def _add_passes(n_passes, found):
    return replace(found, n_passes=found.n_passes + n_passes) if n_passes else found


def _are_worth_a_try(rows, name):
    """Return whether products of features may be sufficient and faster."""
    n_rows, n_features = rows.X.shape
    widest = rows.partition.widest
    is_little = n_rows < _FEW_ROWS and n_rows * n_features * widest <= _LITTLE
    if widest > n_rows or is_little:
        return False
    is_one = widest == n_features and not is_sparse(rows.X)
    return name == "exact" or (is_one and widest <= _WIDEST)
