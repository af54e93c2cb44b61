"""CSR rows through the first layer as they are, against making each batch dense."""

from contextlib import contextmanager

import numpy as np
from scipy import sparse

from sksparse_nn import SparseNetClassifier
from sksparse_nn.modules import _sparse_input
from tests.benchmarks._timing import in_turn


def rows(n_rows=20_000):
    """Yield a row of the table for each density."""
    for n_features, per_row, batch_size, wanted in (
        (4096, 10, 256, 5),
        (4096, 64, 256, 5),
        (4096, 64, 1024, 5),
        (4096, 400, 256, ""),
        (50_000, 50, 256, ""),
    ):
        X, y = _codes(n_rows, n_features, per_row)
        thin, dense = (_training(X, y, batch_size, d) for d in (1.0, -1.0))
        agree = np.mean(thin() == dense())
        yield in_turn(thin, dense, n_rounds=3).row(
            work="training on CSR / batches made dense",
            size=f"{n_rows} x {n_features}, {per_row} a row, batches of {batch_size}",
            threads=2,
            wanted=wanted,
            quality=f"answers that agree {agree:.4f}",
        )


def _training(X, y, batch_size, density):
    def train():
        with _sparse_up_to(density):
            net = SparseNetClassifier(
                (256,), max_epochs=1, batch_size=batch_size, random_state=0
            )
            return net.fit(X, y).predict(X[:2000])

    return train


@contextmanager
def _sparse_up_to(density):
    before = _sparse_input._DENSITY
    _sparse_input._DENSITY = density
    try:
        yield
    finally:
        _sparse_input._DENSITY = before


def _codes(n_rows, n_features, per_row):
    rng = np.random.default_rng(0)
    indices = rng.integers(n_features, size=(n_rows, per_row), dtype=np.int32)
    values = rng.random((n_rows, per_row), dtype=np.float32)
    indptr = per_row * np.arange(n_rows + 1)
    X = sparse.csr_array(
        (values.ravel(), indices.ravel(), indptr), shape=(n_rows, n_features)
    )
    X.sum_duplicates()
    return X, (X[:, : n_features // 2].sum(axis=1) > per_row / 4).astype(int)
