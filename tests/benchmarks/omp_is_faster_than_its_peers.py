"""OMP of scikit-learn and of dictlearn: the same supports."""

import dictlearn
import numpy as np
from sklearn.decomposition import sparse_encode as sklearn_encode

from sksparse_nn import sparse_encode
from tests.benchmarks._problems import patches, random_atoms
from tests.benchmarks._timing import in_turn


def rows(n_rows=2000):
    """Yield a row of the table for each size and peer."""
    for n_features, n_atoms, k in [(64, 256, 6), (192, 512, 10)]:
        X = patches(n_features, n_rows)
        D = random_atoms(n_atoms, n_features)
        yield _contest("scikit-learn", _scikit_learn, X, D, k, wanted=150)
        yield _contest("dictlearn", dictlearn.sparse_encode, X, D, k, wanted="")


def _scikit_learn(X, D, **options):
    return sklearn_encode(X, D, n_jobs=1, **options)


def _contest(name, encode, X, D, k, *, wanted):
    def ours():
        return sparse_encode(X, D, algorithm="omp", n_nonzero_coefs=k, n_jobs=1)

    def peer():
        return encode(X, D, algorithm="omp", n_nonzero_coefs=k)

    same = np.mean((ours().toarray() != 0) == (np.asarray(peer()) != 0))
    return in_turn(ours, peer, n_rounds=3).row(
        work=f"omp / {name}",
        size=f"n={X.shape[1]} K={len(D)} k={k}",
        type=X.dtype.name,
        threads=1,
        quality=f"equal entries {same:.6f}",
        wanted=wanted,
    )
