"""What a fit keeps of each sample beside the data, as files have many millions."""

import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_regressor

from sksparse_nn import (
    RowScreener,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
    TruncatedSVDReducer,
)
from sksparse_nn.screening import _state
from tests.estimators import name_of

# Bytes per sample: a few numbers, such as its place in an epoch, target and weight.
MOST = 42
N_SAMPLES, N_FEATURES = 20_000, 2

NET = {"max_epochs": 1, "batch_size": 2000, "hidden_layer_sizes": (2,)}
OMP = {"algorithm": "omp", "n_nonzero_coefs": 1, "max_epochs": 1}
FITTED = [
    SparseNetClassifier(**NET),
    SparseNetRegressor(**NET),
    SparseNetRegressor(loss="huber", **NET),
    SparseDictionaryCoder(2, max_epochs=1),
    SparseDictionaryCoder(2, **OMP),
    SparseAttentionCoder(2, max_epochs=1),
    TopKAutoencoder(2, n_nonzero_coefs=1, max_epochs=1, batch_size=2000),
    TruncatedSVDReducer(1),
    RowScreener(rules=["missing", "infinite", "range", "constant", "duplicate"]),
]


@pytest.fixture
def few_hashes(monkeypatch):
    """Let a screener reach the bound on its hashes, as with many samples."""
    monkeypatch.setattr(_state, "MOST_KEYS", 1000)
    monkeypatch.setattr(_state, "_AT_A_TIME", 500)


def samples(n_samples):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, N_FEATURES)).astype(np.float32)
    return X, np.arange(n_samples) % 3


def measure_peak(estimator, X, y):
    """Return the bytes that are in use at most during a fit."""
    estimator, y = clone(estimator), y.astype(float) if is_regressor(estimator) else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X[:3000], y[:3000])  # compiles
        tracemalloc.start()
        try:
            estimator.fit(X, y)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.usefixtures("few_hashes")
@pytest.mark.parametrize("estimator", FITTED, ids=name_of)
def test_few_bytes_are_kept_of_a_sample(estimator):
    few, many = (measure_peak(estimator, *samples(n * N_SAMPLES)) for n in (4, 12))
    assert (many - few) / (8 * N_SAMPLES) < MOST
