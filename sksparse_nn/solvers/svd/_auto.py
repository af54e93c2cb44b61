"""Solver "auto": products of features if they are proven sufficient, else others."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, cholesky

from sksparse_nn._picked_rows import is_sparse
from sksparse_nn._progress import silent
from sksparse_nn.solvers.svd._base import WeightedRows
from sksparse_nn.solvers.svd._choice import choose_solver
from sksparse_nn.solvers.svd._decomposition import decompose
from sksparse_nn.solvers.svd._gram import are_proven
from sksparse_nn.solvers.svd._moments import Moments, exact_costs_little, read_moments
from sksparse_nn.solvers.svd._rank import FixedRank

# Widest rows of large data whose products are tried first.
_WIDEST = 512

# Rows per feature that show whether products will do, and how many times as many rows
# make looking at these worthwhile.
_PICKED = 8
_MANY = 8

# Share of a column's energy that the others do not explain, from which on products
# will do.
_INDEPENDENT = 1e-2

# Rows and multiply-adds for which LAPACK is faster than trying products.
_FEW_ROWS = 1000
_LITTLE = 2**18


def decompose_by_best(rows, rule, solvers, parameters):
    """Decompose rows with the fastest solver that preserves accuracy.

    For tall data, products of features are tried in their own type and then in float64;
    LAPACK is used only if neither is proven sufficient. What fails for some of many
    rows is not tried for all.

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
        picked = _Picked.of(rows, rule)
        for is_exact in (False, True):
            gram = solvers.make("gram", parameters | {"is_exact": is_exact})
            if picked is not None and not picked.are_promising(gram):
                continue
            moments = gram.prepare(rows)
            n_passes += 1
            found = _prove(gram, moments, rule)
            if found is not None:
                return "gram", replace(found, n_passes=n_passes), moments
            if moments.rounding < np.finfo(np.float32).eps:  # no float64 would help
                break
        name = "exact"
    solver = solvers.make(name, parameters)
    state = solver.prepare(rows)
    found = decompose(solver, state, rows.partition, rule)
    if moments is None:
        moments = solver.moments(rows, state)
    return name, _add_passes(n_passes, found), moments


@dataclass(frozen=True)
class _Picked:
    """Products of some of many rows, of which all components or most are wanted."""

    rows: WeightedRows
    rule: FixedRank
    moments: Moments

    @classmethod
    def of(cls, rows, rule):
        """Pick rows; None if that takes longer than it may save."""
        n_rows, width = rows.X.shape
        step = n_rows // (_PICKED * width)
        are_most = isinstance(rule, FixedRank) and 2 * rule.n_components >= width
        if step < _MANY or not are_most:
            return None
        weight = None if rows.weight is None else rows.weight[::step]
        some = WeightedRows(rows.X[::step], weight, rows.partition)
        moments = read_moments(some, is_exact=True)
        return None if _are_independent(moments) else cls(rows, rule, moments)

    def are_promising(self, gram):
        """Return whether products would do for the picked rows."""
        X, partition = self.rows.X, self.rows.partition
        is_exact = gram.is_exact or exact_costs_little(X.shape, partition)
        eps = np.finfo(np.float64 if is_exact else X.dtype).eps
        moments = replace(self.moments, rounding=float(eps))
        gram = replace(gram, report=silent)
        return _prove(gram, moments, self.rule) is not None


def _are_independent(moments):
    """Return whether no feature is nearly a sum of others."""
    scatter = moments.partition.blocks(moments.scatter)[0][0]
    lengths = np.sqrt(np.diagonal(scatter))
    if not lengths.all():
        return False
    try:
        factor = cholesky(scatter / np.outer(lengths, lengths))
    except LinAlgError:
        return False
    return (np.diagonal(factor) ** 2).min() >= _INDEPENDENT


def _prove(gram, moments, rule):
    """Return a decomposition that is proven to lose nothing, None if there is none."""
    is_one = len(moments.partition.widths) == 1
    for is_graded in (False, True) if is_one else (False,):
        solver = replace(gram, is_graded=is_graded)
        found = decompose(solver, moments, moments.partition, rule)
        if are_proven(solver, moments, found):
            return found
    return None


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
