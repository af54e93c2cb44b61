"""Truncated SVD of groups of features."""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers.svd._auto import decompose_by_best
from sksparse_nn.solvers.svd._base import Factors, SVDSolver, WeightedRows
from sksparse_nn.solvers.svd._choice import choose_solver
from sksparse_nn.solvers.svd._decomposition import (
    Decomposition,
    decompose,
    warn_if_clipped,
)
from sksparse_nn.solvers.svd._exact import ExactSolver
from sksparse_nn.solvers.svd._gram import GramSolver
from sksparse_nn.solvers.svd._krylov import KrylovSolver
from sksparse_nn.solvers.svd._partition import Partition, partition_features
from sksparse_nn.solvers.svd._projection import Projector, invert_scale
from sksparse_nn.solvers.svd._rank import rank_rule
from sksparse_nn.solvers.svd._scale import (
    are_squares_safe,
    check_squares,
    squares_vanish,
)
from sksparse_nn.solvers.svd._stream import (
    begin_stream,
    dtype_of,
    name_solver,
    statistics_from,
    stream_solver,
)

SOLVERS = Registry("solver", exact=ExactSolver, gram=GramSolver, krylov=KrylovSolver)

__all__ = [
    "SOLVERS",
    "Decomposition",
    "ExactSolver",
    "Factors",
    "GramSolver",
    "KrylovSolver",
    "Partition",
    "Projector",
    "SVDSolver",
    "WeightedRows",
    "are_squares_safe",
    "begin_stream",
    "check_squares",
    "choose_solver",
    "decompose",
    "decompose_by_best",
    "dtype_of",
    "invert_scale",
    "name_solver",
    "partition_features",
    "rank_rule",
    "squares_vanish",
    "statistics_from",
    "stream_solver",
    "warn_if_clipped",
]
