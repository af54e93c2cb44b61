"""Small fitted models, whose files are kept from version to version."""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
    TruncatedSVDReducer,
)


def samples():
    """Return rows and labels that no version of a library changes."""
    grid = np.arange(24 * 6, dtype=np.float64).reshape(24, 6)
    X = (1 + np.sin(grid**1.5)).astype(np.float32)
    return X, (X[:, 0] > X[:, 1]).astype(int)


def _net(kind=SparseNetClassifier, **parameters):
    return kind((4,), max_epochs=2, random_state=0, **parameters)


def _dictionary(**parameters):
    return SparseDictionaryCoder(3, max_epochs=1, random_state=0, **parameters)


MODELS = {
    "reducer": lambda: TruncatedSVDReducer(2, random_state=0),
    "dictionary": lambda: _dictionary(algorithm="omp", n_nonzero_coefs=2),
    "attention": lambda: SparseAttentionCoder(3, random_state=0),
    "patches": lambda: ImagePatchCoder(
        3,
        image_shape=(2, 3),
        patch_size=2,
        pooled_shape=1,
        max_epochs=1,
        random_state=0,
    ),
    "autoencoder": lambda: TopKAutoencoder(
        4, n_nonzero_coefs=2, max_epochs=1, random_state=0
    ),
    "classifier": _net,
    "regressor": lambda: make_pipeline(StandardScaler(), _net(SparseNetRegressor)),
    "tuned": lambda: _net(coder=_dictionary(alpha=0.2)),
    "pruned": lambda: NetPruner(_net(), fine_tune_epochs=1),
    "integers": lambda: NetQuantizer(_net()),
    "halves": lambda: NetQuantizer(_net(), scheme="weight_only", n_bits=4),
    "factors": lambda: NetFactorizer(_net(), rank=1, fine_tune_epochs=1),
}
