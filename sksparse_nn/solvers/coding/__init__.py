"""Sparse coders. To add one, write its file and its line in `CODERS`."""

from sksparse_nn._registry import Registry
from sksparse_nn.solvers.coding._adjoint import alpha_gradient, atom_gradients
from sksparse_nn.solvers.coding._base import AbstractCoder, Atoms, Codes, compressed
from sksparse_nn.solvers.coding._encode import encode, stack, warn_of_gaps
from sksparse_nn.solvers.coding._lasso import ElasticNet, Lasso
from sksparse_nn.solvers.coding._missing import (
    encode_rows,
    fill,
    fillable,
    filled_with_means,
    has_missing,
)
from sksparse_nn.solvers.coding._nothing import nothing_coded
from sksparse_nn.solvers.coding._path import encode_path
from sksparse_nn.solvers.coding._pursuit import OLS, OMP
from sksparse_nn.solvers.coding._shrinkage import (
    HardThreshold,
    SoftThreshold,
    TopK,
    Triangle,
    distance_slopes,
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
    "alpha_gradient",
    "atom_gradients",
    "compressed",
    "distance_slopes",
    "encode",
    "encode_path",
    "encode_rows",
    "fill",
    "fillable",
    "filled_with_means",
    "has_missing",
    "nothing_coded",
    "stack",
    "warn_of_gaps",
]
