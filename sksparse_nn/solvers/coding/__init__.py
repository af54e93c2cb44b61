"""Sparse coders. To add one, write its file and its line in `CODERS`."""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers.coding._adjoint import alpha_gradient, atom_gradients
from sksparse_nn.solvers.coding._base import (
    AbstractCoder,
    Atoms,
    Codes,
    allocate_codes,
    compress_codes,
    prepare_atoms,
)
from sksparse_nn.solvers.coding._blocks import encode_blocks, join_dense, join_sparse
from sksparse_nn.solvers.coding._encode import encode, encode_with, warn_of_gaps
from sksparse_nn.solvers.coding._lasso import ElasticNet, Lasso
from sksparse_nn.solvers.coding._level import find_alpha
from sksparse_nn.solvers.coding._missing import (
    copy_if_missing,
    encode_rows,
    fill_missing,
    fill_with_means,
    has_missing,
)
from sksparse_nn.solvers.coding._nothing import describe_zero_codes
from sksparse_nn.solvers.coding._path import encode_path
from sksparse_nn.solvers.coding._pursuit import OLS, OMP
from sksparse_nn.solvers.coding._shrinkage import (
    HardThreshold,
    SoftThreshold,
    TopK,
    Triangle,
    compute_distance_slopes,
)
from sksparse_nn.solvers.coding._sparsity import Count, Level, Sparsity

CODERS = Registry(
    "algorithm",
    omp=OMP,
    ols=OLS,
    lasso=Lasso,
    elastic_net=ElasticNet,
    threshold=HardThreshold,
    soft_threshold=SoftThreshold,
    top_k=TopK,
    triangle=Triangle,
)

__all__ = [
    "CODERS",
    "OLS",
    "OMP",
    "AbstractCoder",
    "Atoms",
    "Codes",
    "Count",
    "ElasticNet",
    "HardThreshold",
    "Lasso",
    "Level",
    "SoftThreshold",
    "Sparsity",
    "TopK",
    "Triangle",
    "allocate_codes",
    "alpha_gradient",
    "atom_gradients",
    "compress_codes",
    "compute_distance_slopes",
    "copy_if_missing",
    "describe_zero_codes",
    "encode",
    "encode_blocks",
    "encode_path",
    "encode_rows",
    "encode_with",
    "fill_missing",
    "fill_with_means",
    "find_alpha",
    "has_missing",
    "join_dense",
    "join_sparse",
    "prepare_atoms",
    "warn_of_gaps",
]
