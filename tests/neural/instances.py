"""The network estimators that the common checks run on.

Their batches hold all rows of a check: at smaller ones integer weights cannot equal
repeated rows, for any network. The tests beside this file look at small batches.
"""

from sksparse_nn import (
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
    TruncatedSVDReducer,
)


def _dictionary(**parameters):
    # A sample that is an atom has no gradient but rounding, which Adam enlarges.
    return SparseDictionaryCoder(3, max_epochs=2, **parameters)


CODED_NETS = [
    SparseNetClassifier((), coder=_dictionary(), learning_rate=0.05, max_epochs=20),
    SparseNetRegressor(
        (),
        coder=_dictionary(alpha=0.1),
        reconstruction=0.5,
        learning_rate=0.1,
        max_epochs=20,
    ),
    SparseNetClassifier(
        (8,),
        coder=_dictionary(split_sign=True),
        tune_coder="all",
        learning_rate=0.05,
        max_epochs=20,
    ),
    SparseNetClassifier(
        (), coder=_dictionary(), tune_coder=False, learning_rate=0.1, max_epochs=20
    ),
    SparseNetClassifier(
        (), coder=SparseAttentionCoder(), learning_rate=0.1, max_epochs=20
    ),
    SparseNetRegressor(
        (), coder=TruncatedSVDReducer(2), learning_rate=0.1, max_epochs=20
    ),
]

NETS = [
    *CODED_NETS,
    SparseNetClassifier(),
    SparseNetClassifier((), learning_rate=0.05, class_weight="balanced"),
    SparseNetClassifier((), learning_rate=0.05, label_smoothing=0.1),
    SparseNetClassifier((16, 8), activation="gelu", learning_rate=0.03, max_epochs=25),
    SparseNetClassifier((16,), learning_rate=0.05, max_epochs=25, early_stopping=True),
    SparseNetClassifier(
        (16,), learning_rate=0.05, max_epochs=25, l1=1e-3, group_lasso=1e-3
    ),
    SparseNetRegressor(),
    SparseNetRegressor((), learning_rate=0.1, max_epochs=25, early_stopping=True),
    SparseNetRegressor((16,), learning_rate=0.05, max_epochs=25, loss="absolute_error"),
    SparseNetRegressor((16,), learning_rate=0.05, max_epochs=25, loss="huber"),
    SparseNetRegressor(
        (16,), learning_rate=0.05, max_epochs=25, loss="quantile", quantile=0.6
    ),
    SparseNetRegressor((16,), learning_rate=0.01, max_epochs=25, loss="poisson"),
    SparseNetRegressor(
        (16,), learning_rate=0.05, max_epochs=25, l1=1e-3, group_lasso=1e-3
    ),
]

AUTOENCODERS = [
    TopKAutoencoder(max_epochs=5),
    TopKAutoencoder(12, n_nonzero_coefs=3, max_epochs=20, batch_size=16),
    TopKAutoencoder(8, n_nonzero_coefs=2, max_epochs=5, sparse_output=False),
]
