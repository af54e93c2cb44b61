"""Instances of the attention coder for the checks that every estimator passes."""

from sksparse_nn import SparseAttentionCoder
from sksparse_nn.solvers.simplex import KEYS, MAPPINGS

_SETTINGS = [
    {"sparse_output": False, "n_active": 1},
    {"n_active": 6, "n_jobs": 2},
    {"iterate": True},
    {"iterate": True, "keys": "medoids"},
    {"iterate": True, "keys": "learned", "max_epochs": 10},
]

ATTENTION_CODERS = [
    *[
        SparseAttentionCoder(6, mapping=mapping, keys=keys)
        for mapping in MAPPINGS
        for keys in KEYS
    ],
    *[SparseAttentionCoder(6, **setting) for setting in _SETTINGS],
]
