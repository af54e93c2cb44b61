"""Screeners and screened estimators for the table of estimators."""

from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import OneClassSVM

from sksparse_nn import (
    RowScreener,
    ScreenedEstimator,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)

# scikit-learn wants at least one outlier among any rows, so these are strict.
SCREENERS = [
    RowScreener(quantile_range=(10, 90), margin=0.0),
    RowScreener(["missing", "infinite", "range", "label"], margin=0.0),
    RowScreener(detector=OneClassSVM(nu=0.1)),
    RowScreener(detector=TruncatedSVDReducer(1), detector_quantile=0.1),
    RowScreener(
        detector=SparseDictionaryCoder(
            2, algorithm="omp", n_nonzero_coefs=1, max_epochs=1, random_state=0
        ),
        detector_quantile=0.1,
    ),
]


def _net(kind):
    return kind((8,), learning_rate=0.02, random_state=0)


SCREENED = [
    ScreenedEstimator(RowScreener(), LogisticRegression()),
    ScreenedEstimator(RowScreener(margin=1.0), Ridge(), on_excluded="nan"),
    ScreenedEstimator(
        RowScreener(["range", "label"]), _net(SparseNetClassifier), on_excluded="raise"
    ),
    ScreenedEstimator(RowScreener(), _net(SparseNetRegressor)),
    ScreenedEstimator(RowScreener(), TruncatedSVDReducer(2), on_excluded="nan"),
    ScreenedEstimator(RowScreener(), MiniBatchKMeans(2, n_init=1, random_state=0)),
]
