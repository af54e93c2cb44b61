"""Screeners for the table of estimators."""

from sklearn.ensemble import IsolationForest

from sksparse_nn import RowScreener, SparseDictionaryCoder, TruncatedSVDReducer

# scikit-learn wants at least one outlier among any rows, so these are strict.
SCREENERS = [
    RowScreener(quantile_range=(10, 90), margin=0.0),
    RowScreener(["missing", "infinite", "range", "label"], margin=0.0),
    RowScreener(detector=IsolationForest(n_estimators=10, random_state=0)),
    RowScreener(detector=TruncatedSVDReducer(1), detector_quantile=0.1),
    RowScreener(
        detector=SparseDictionaryCoder(
            2, algorithm="omp", n_nonzero_coefs=1, max_epochs=1, random_state=0
        ),
        detector_quantile=0.1,
    ),
]
