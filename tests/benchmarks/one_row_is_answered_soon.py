"""The time from a row to its probabilities, alone and behind two other steps."""

from time import perf_counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier


def rows():
    """Yield a row of the table for the network and for the pipeline."""
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32) / 16
    net = SparseNetClassifier((128,), max_epochs=5, random_state=0).fit(X, y)
    pipeline = make_pipeline(
        SparseDictionaryCoder(
            64, algorithm="omp", n_nonzero_coefs=5, max_epochs=2, random_state=0
        ),
        StandardScaler(with_mean=False),
        SparseNetClassifier((128,), max_epochs=5, random_state=0),
    ).fit(X, y)
    for name, estimator, wanted in (("network", net, 0.3), ("3 steps", pipeline, 2.0)):
        taken = [_milliseconds(estimator, X[:1]) for _ in range(501)]
        low, median, high = np.percentile(taken, [25, 50, 75])
        yield {
            "work": f"one row, predict_proba, {name}",
            "size": "64 features",
            "threads": 2,
            "wanted": f"at most {wanted} ms",
            "ours ms": f"{median:.3f}",
            "± ms": f"{(high - low) / 2:.3f}",
        }


def _milliseconds(estimator, row):
    start = perf_counter()
    estimator.predict_proba(row)
    return 1e3 * (perf_counter() - start)
