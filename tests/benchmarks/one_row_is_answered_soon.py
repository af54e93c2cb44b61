"""The time of a single row: through a coder, a network and a pipeline of both."""

from time import perf_counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier, sparse_encode


def rows():
    """Yield a row of the table for each of them; a scaler shows what is possible."""
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32) / 16
    row = X[:1]
    scaler = StandardScaler(with_mean=False).fit(X)
    net = SparseNetClassifier((128,), max_epochs=5, random_state=0).fit(X, y)
    omp = SparseDictionaryCoder(
        64, algorithm="omp", n_nonzero_coefs=5, max_epochs=2, random_state=0
    ).fit(X)
    lasso = SparseDictionaryCoder(64, max_epochs=2, random_state=0).fit(X)
    whole = make_pipeline(StandardScaler(with_mean=False), omp, net).fit(X, y)
    atoms = omp.components_
    calls = {
        "StandardScaler": (lambda: scaler.transform(row), None),
        "coder, omp": (lambda: omp.transform(row), 0.15),
        "coder, lasso": (lambda: lasso.transform(row), 0.15),
        "sparse_encode, omp": (
            lambda: sparse_encode(row, atoms, algorithm="omp", n_nonzero_coefs=5),
            0.15,
        ),
        "network": (lambda: net.predict_proba(row), 0.3),
        "scaler, coder, network": (lambda: whole.predict_proba(row), 0.6),
    }
    for name, (call, wanted) in calls.items():
        taken = [_milliseconds(call) for _ in range(1001)][100:]
        low, median, high = np.percentile(taken, [25, 50, 75])
        yield {
            "work": f"one row, {name}",
            "size": "64 features",
            "threads": 2,
            "wanted": wanted and f"at most {wanted} ms",
            "ours ms": f"{median:.3f}",
            "± ms": f"{(high - low) / 2:.3f}",
        }


def _milliseconds(call):
    start = perf_counter()
    call()
    return 1e3 * (perf_counter() - start)
