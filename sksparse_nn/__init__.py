"""Sparse representation ahead of neural networks, as scikit-learn estimators."""

from typing import TYPE_CHECKING

from sksparse_nn._lazy import load_on_use

if TYPE_CHECKING:
    from sksparse_nn.compression import (
        NetFactorizer,
        NetPruner,
        NetQuantizer,
        compression_report,
        for_prediction,
    )
    from sksparse_nn.datasets import load_cifar10
    from sksparse_nn.decomposition import (
        SparseAttentionCoder,
        SparseDictionaryCoder,
        TruncatedSVDReducer,
        sparse_encode,
        sparsity_path,
    )
    from sksparse_nn.feature_extraction import ImagePatchCoder
    from sksparse_nn.inspection import LayerActivations
    from sksparse_nn.model_selection import SparsitySearchCV
    from sksparse_nn.neural import (
        SparseNetClassifier,
        SparseNetRegressor,
        TopKAutoencoder,
    )

# Module of each public name. Names load on first use, so that importing the package is
# fast: Numba and torch take seconds.
_HOMES = {
    "ImagePatchCoder": "feature_extraction",
    "LayerActivations": "inspection",
    "NetFactorizer": "compression",
    "NetPruner": "compression",
    "NetQuantizer": "compression",
    "RowScreener": "screening",
    "ScreenedEstimator": "screening",
    "SparseAttentionCoder": "decomposition",
    "SparseDictionaryCoder": "decomposition",
    "SparseNetClassifier": "neural",
    "SparseNetRegressor": "neural",
    "SparsitySearchCV": "model_selection",
    "TopKAutoencoder": "neural",
    "TruncatedSVDReducer": "decomposition",
    "compression_report": "compression",
    "for_prediction": "compression",
    "load_cifar10": "datasets",
    "sparse_encode": "decomposition",
    "sparsity_path": "decomposition",
}

__version__ = "0.1.0"

__all__ = [
    "ImagePatchCoder",
    "LayerActivations",
    "NetFactorizer",
    "NetPruner",
    "NetQuantizer",
    "RowScreener",
    "ScreenedEstimator",
    "SparseAttentionCoder",
    "SparseDictionaryCoder",
    "SparseNetClassifier",
    "SparseNetRegressor",
    "SparsitySearchCV",
    "TopKAutoencoder",
    "TruncatedSVDReducer",
    "compression_report",
    "for_prediction",
    "load_cifar10",
    "sparse_encode",
    "sparsity_path",
]


__getattr__, __dir__ = load_on_use(__name__, _HOMES)
