"""scikit-learn's `sparse_encode` with OMP: the same supports."""

import numpy as np
from sklearn.decomposition import sparse_encode as peer_encode

from sksparse_nn import sparse_encode
from tests.benchmarks._problems import patches, random_atoms
from tests.benchmarks._timing import in_turn

WANTED = 150


def rows(n_rows=2000):
    """Yield a row of the table for each size."""
    for n_features, n_atoms, k in [(64, 256, 6), (192, 512, 10)]:
        X = patches(n_features, n_rows)
        D = random_atoms(n_atoms, n_features)
        yield _contest(X, D, k)


def _contest(X, D, k):
    def ours():
        return sparse_encode(X, D, n_nonzero_coefs=k, n_jobs=1)

    def peer():
        return peer_encode(X, D, algorithm="omp", n_nonzero_coefs=k, n_jobs=1)

    same = np.mean((ours().toarray() != 0) == (peer() != 0))
    return in_turn(ours, peer, n_rounds=3).row(
        work="omp / scikit-learn",
        size=f"n={X.shape[1]} K={len(D)} k={k}",
        type=X.dtype.name,
        threads=1,
        quality=f"equal entries {same:.6f}",
        wanted=WANTED,
    )
