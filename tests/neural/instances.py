"""The network estimators that the common checks run on.

Mini-batches of most hold all samples of a check, which takes few steps. The tests
beside this file look at small ones.
"""

from functools import partial

from sksparse_nn import (
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
    TruncatedSVDReducer,
)

_Classifier = partial(SparseNetClassifier, batch_size=256)
_Regressor = partial(SparseNetRegressor, batch_size=256)


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
    _Classifier((), learning_rate=0.05, class_weight="balanced"),
    _Classifier((), learning_rate=0.05, label_smoothing=0.1),
    _Classifier((16, 8), activation="gelu", learning_rate=0.03, max_epochs=25),
    _Classifier((16,), learning_rate=0.05, max_epochs=25, early_stopping=True),
    _Classifier((16,), learning_rate=0.05, max_epochs=25, l1=1e-3, group_lasso=1e-3),
    SparseNetRegressor(),
    _Regressor((), learning_rate=0.1, max_epochs=25, early_stopping=True),
    _Regressor((16,), learning_rate=0.05, max_epochs=25, loss="absolute_error"),
    _Regressor((16,), learning_rate=0.05, max_epochs=25, loss="huber"),
    _Regressor((16,), learning_rate=0.05, max_epochs=25, loss="quantile", quantile=0.6),
    _Regressor((16,), learning_rate=0.01, max_epochs=25, loss="poisson"),
    _Regressor((16,), learning_rate=0.05, max_epochs=25, l1=1e-3, group_lasso=1e-3),
]

AUTOENCODERS = [
    TopKAutoencoder(max_epochs=5),
    TopKAutoencoder(12, n_nonzero_coefs=3, max_epochs=20, batch_size=16),
    TopKAutoencoder(8, n_nonzero_coefs=2, max_epochs=5, sparse_output=False),
]
