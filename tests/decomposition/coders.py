"""Instances of the coder for the checks that every estimator passes."""

from sksparse_nn import SparseDictionaryCoder
from sksparse_nn.solvers.coding import CODERS

_SETTINGS = [
    {"sparse_output": False},
    {"algorithm": "omp", "residual_tol": 0.1},
    {"algorithm": "omp", "abs_residual_tol": 0.1, "n_nonzero_coefs": 2},
    {"split_sign": True},
    {"positive_dict": True},
    {"n_components": 4, "n_jobs": 2},
    {"algorithm": "soft_threshold", "positive_code": True},
    {"algorithm": "lasso", "positive_code": True, "positive_dict": True},
    {"algorithm": "elastic_net", "alpha": 0.1, "l1_ratio": 0.7},
    {"shuffle": False, "batch_size": 20},
    {"init": "k-means++"},
    {"init": "svd"},
    {"early_stopping": True, "n_iter_no_change": 1},
    {"allow_nan": True},
    {"n_active": 2.0},
    {"algorithm": "omp", "learner": "ksvd"},
    {"algorithm": "omp", "learner": "exact_ksvd"},
    {"algorithm": "omp", "learner": "mod"},
]

SPARSE_CODERS = [
    *[SparseDictionaryCoder(algorithm=name, max_epochs=3) for name in CODERS],
    *[SparseDictionaryCoder(max_epochs=3, **setting) for setting in _SETTINGS],
]
