"""Networks as scikit-learn estimators: torch and skorch appear here and above only."""

from sksparse_nn.neural._classifier import SparseNetClassifier
from sksparse_nn.neural._regressor import SparseNetRegressor

__all__ = ["SparseNetClassifier", "SparseNetRegressor"]
