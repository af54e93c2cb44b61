"""Which solver ``solver="auto"`` stands for."""

from sksparse_nn._picked_rows import is_sparse
from sksparse_nn.solvers.svd._moments import MAX_WIDTH, are_quick
from sksparse_nn.solvers.svd._rank import FixedRank

# Elements that may stand dense in float64 at once: 32 MB.
_SMALL = 2**22

# Features a wanted component, and ten spare ones, from which iterating takes less time
# than all products of features: about there both take the same.
_DENSE_SHARE = 24
_SPARSE_SHARE = 16
_SPARE = 10


def choose_solver(rows, rule):
    """Choose a solver by what is to be decomposed, and for how many components.

    1. ``"exact"`` where that is quick and fits in one block: only it sees directions
       down to the precision of the data, so ranks come out exactly.
    2. ``"krylov"`` where a group has more features than rows, or than may be multiplied
       with each other.
    3. ``"krylov"`` too for a few components of all features together.
    4. ``"gram"`` for what is left: it reads the data once, and can be continued.

    Parameters
    ----------
    rows : WeightedRows
        The data.

    rule : RankRule
        How many components are wanted.

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
