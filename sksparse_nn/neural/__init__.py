"""Networks as scikit-learn estimators: skorch appears here and above only."""

from sksparse_nn import _net_extra  # noqa: F401 (first)
from sksparse_nn.neural._classifier import SparseNetClassifier
from sksparse_nn.neural._regressor import SparseNetRegressor
from sksparse_nn.neural._topk_autoencoder import TopKAutoencoder

__all__ = ["SparseNetClassifier", "SparseNetRegressor", "TopKAutoencoder"]
