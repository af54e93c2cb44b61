"""Choice of a solver for ``solver="auto"``."""

from sksparse_nn._picked_rows import is_sparse
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, are_quick
from sksparse_nn.solvers.svd._rank import FixedRank

# Elements that may be dense in float64 at once: 32 MB.
_SMALL = 2**22

# Features per wanted component, with ten spare ones, from which iterating is faster
# than all products of features.
_DENSE_SHARE = 24
_SPARSE_SHARE = 16
_SPARE = 10


def choose_solver(rows, rule):
    """Choose a solver by the data and the number of components.

    1. ``"exact"`` if that is fast and fits in one block: only it resolves directions
       down to the precision of the data, so ranks are exact.
    2. ``"krylov"`` if a group has more features than rows, or too many for products of
       features.
    3. ``"krylov"`` for a few components of all features together.
    4. ``"gram"`` otherwise: it reads the data once, and can be continued.

    Parameters
    ----------
    rows : WeightedRows
        The data.

    rule : RankRule
        Rule for the number of components.

    Returns
    -------
    name : str
        A name in `SOLVERS`.
    """
    shape, partition = rows.X.shape, rows.partition
    if shape[0] * shape[1] <= _SMALL and are_quick(shape, partition):
        return "exact"
    if partition.widest > min(MAX_WIDTH, shape[0]):
        return "krylov"
    is_one = partition.widest == partition.n_features
    if is_one and isinstance(rule, FixedRank) and _are_few(rule.n_components, rows.X):
        return "krylov"
    return "gram"


def _are_few(n_components, X):
    share = _SPARSE_SHARE if is_sparse(X) else _DENSE_SHARE
    return share * (n_components + _SPARE) <= X.shape[1]
