"""SPAMS's `omp` is orthogonal least squares: the same rule at the same sparsity."""

import numpy as np
import spams

from sksparse_nn import sparse_encode
from tests.benchmarks._problems import patches, random_atoms
from tests.benchmarks._timing import in_turn

WANTED = 2.5
_SIZES = [(192, 512, 5), (192, 512, 10), (192, 512, 20), (64, 256, 6), (36, 1024, 10)]


def rows(n_rows=5000):
    """Yield a row of the table for each size, float type and number of threads."""
    for n_features, n_atoms, k in _SIZES:
        for dtype in (np.float32, np.float64):
            X = patches(n_features, n_rows).astype(dtype)
            D = random_atoms(n_atoms, n_features).astype(dtype)
            for n_threads in (1, 2):
                yield _contest(X, D, k, n_threads)


def _contest(X, D, k, n_threads):
    Xt, Dt = np.asfortranarray(X.T), np.asfortranarray(D.T)

    def ours():
        return sparse_encode(X, D, algorithm="ols", n_nonzero_coefs=k, n_jobs=n_threads)

    def peer():
        return spams.omp(Xt, Dt, L=k, eps=0.0, lambda1=0.0, numThreads=n_threads)

    errors = [np.sum((X - codes @ D) ** 2) for codes in (ours(), peer().T)]
    return in_turn(ours, peer).row(
        work="ols / SPAMS omp",
        size=f"n={X.shape[1]} K={len(D)} k={k}",
        type=X.dtype.name,
        threads=n_threads,
        quality=f"error ratio {errors[0] / errors[1]:.6f}",
        wanted=WANTED,
    )
