"""SVD of TF-IDF, each solver at its fastest setting that is exact enough."""

from functools import partial

import torch
from scipy.sparse.linalg import svds
from sklearn.decomposition import TruncatedSVD

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._floor import floor
from tests.benchmarks._problems import posts
from tests.benchmarks._spectrum import best_of_sparse, error
from tests.benchmarks._svd_row import svd_row

_K = 100


def rows():
    """Yield a row of the table for each peer."""
    X = posts()
    best = best_of_sparse(X, _K)
    ours = _first_exact(OURS, X, best)
    for name, settings in PEERS.items():
        peer = _first_exact(settings, X, best)
        if peer is None:
            yield {"work": f"SVD of text / {name}", "quality": "never exact enough"}
            continue
        yield svd_row(
            partial(ours[0], X),
            partial(peer[0], X),
            work=f"SVD of text / {name}",
            size=f"{X.shape[0]} x {X.shape[1]}, {X.nnz} values, k={_K} float32",
            threads=2,
            wanted=2.5,
            quality=f"values to {ours[1]:.0e}; peer {peer[1]:.0e}",
            # Two products with the wanted directions, each value with a row of them.
            floor=floor(operations=4.0 * X.nnz * _K, n_bytes=8.0 * X.nnz * _K),
        )


def _krylov(tol, X):
    return TruncatedSVDReducer(_K, tol=tol, random_state=0).fit(X).singular_values_


def _arpack(tol, X):
    svd = TruncatedSVD(_K, algorithm="arpack", tol=tol, random_state=0)
    return svd.fit(X).singular_values_


def _randomized(n_iter, X):
    svd = TruncatedSVD(_K, n_iter=n_iter, n_oversamples=50, random_state=0)
    return svd.fit(X).singular_values_


def _svds(tol, X):
    return svds(X, _K, tol=tol, random_state=0)[1][::-1]


def _torch(n_iter, X):
    csr = torch.sparse_csr_tensor(
        *map(torch.from_numpy, (X.indptr, X.indices, X.data)), size=X.shape
    )
    return torch.svd_lowrank(csr, _K + 50, niter=n_iter)[1].numpy()[:_K]


OURS = [partial(_krylov, tol) for tol in (0.2, 0.15, 0.12, 0.1, 0.05, 0.02)]
PEERS = {
    "scikit-learn arpack": [partial(_arpack, tol) for tol in (1e-1, 1e-2, 0.0)],
    "scikit-learn randomized": [partial(_randomized, n) for n in (5, 7, 10, 14, 20)],
    "scipy svds": [partial(_svds, tol) for tol in (1e-1, 1e-2, 0.0)],
    "torch.svd_lowrank": [partial(_torch, n) for n in (4, 6, 8, 10, 14, 20)],
}


def _first_exact(settings, X, best):
    """Return the first setting whose singular values are within 1e-2, and how near."""
    for setting in settings:
        wrong = error(setting(X), best)
        if wrong < 1e-2:
            return setting, wrong
    return None
