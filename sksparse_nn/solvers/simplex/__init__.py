"""Codes on the simplex. A mapping or a kind of keys takes one file and one line."""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers.simplex._base import AbstractMapping
from sksparse_nn.solvers.simplex._encode import encode
from sksparse_nn.solvers.simplex._entmax import Entmax15
from sksparse_nn.solvers.simplex._keys import Keys
from sksparse_nn.solvers.simplex._learned import Learned
from sksparse_nn.solvers.simplex._learner import AbstractKeys, Learnt
from sksparse_nn.solvers.simplex._means import KMeansKeys
from sksparse_nn.solvers.simplex._medoids import Medoids
from sksparse_nn.solvers.simplex._problem import (
    Problem,
    count_sample_rows,
    make_coding,
)
from sksparse_nn.solvers.simplex._sparsemax import Sparsemax
from sksparse_nn.solvers.simplex._state import AttentionState, Setting
from sksparse_nn.solvers.simplex._streaming import StreamingKeys
from sksparse_nn.solvers.simplex._sums import sum_over
from sksparse_nn.solvers.simplex._values import fit_values

MAPPINGS = Registry("mapping", sparsemax=Sparsemax, entmax15=Entmax15)

KEYS = Registry("keys", kmeans=KMeansKeys, medoids=Medoids, learned=Learned)

__all__ = [
    "KEYS",
    "MAPPINGS",
    "AbstractKeys",
    "AbstractMapping",
    "AttentionState",
    "Entmax15",
    "KMeansKeys",
    "Keys",
    "Learned",
    "Learnt",
    "Medoids",
    "Problem",
    "Setting",
    "Sparsemax",
    "StreamingKeys",
    "count_sample_rows",
    "encode",
    "fit_values",
    "make_coding",
    "sum_over",
]
