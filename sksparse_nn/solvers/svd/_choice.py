"""Which solver ``solver="auto"`` stands for."""

from sksparse_nn.solvers.svd._moments import MAX_WIDTH, are_quick

# Elements that may stand dense in float64 at once: 32 MB.
_SMALL = 2**22


def choose_solver(shape, partition):
    """Choose a solver by the shape of the data and the width of their groups.

    1. ``"exact"`` where that is quick and fits in one block: only it sees directions
       down to the precision of the data, so ranks come out exactly.
    2. ``"gram"`` where groups are no wider than there are rows, nor than the products
       of their features may be: it reads the data once, and can be continued.
    3. ``"krylov"`` for what is left, which is wide.

    Sparse and dense data of one shape are decomposed alike.

    Parameters
    ----------
    shape : tuple of int
        Samples and features.

    partition : Partition
        Groups of features.

    Returns
    -------
    name : str
        A name in `SOLVERS`.
    """
    n_rows, n_features = shape
    if n_rows * n_features <= _SMALL and are_quick(shape, partition):
        return "exact"
    if partition.widest <= min(MAX_WIDTH, n_rows):
        return "gram"
    return "krylov"
