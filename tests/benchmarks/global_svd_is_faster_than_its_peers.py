"""One SVD of images, each solver at its fastest setting that is exact enough."""

from functools import partial

import torch
from fbpca import pca
from sklearn.decomposition import TruncatedSVD

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._problems import images
from tests.benchmarks._spectrum import best_of_dense, energy, error
from tests.benchmarks._timing import in_turn

_K = 100
_WANTED = 2


def rows(n_rows=20_000):
    """Yield a row of the table for each peer."""
    X = images(n_rows)
    best = best_of_dense(X, _K)
    ours = _first_exact(OURS, X, best)
    for name, settings in PEERS.items():
        peer = _first_exact(settings, X, best)
        if peer is None:
            yield {"work": f"SVD / {name}", "quality": "not exact enough"}
            continue
        yield in_turn(partial(ours[0], X), partial(peer[0], X), n_rounds=3).row(
            work=f"SVD / {name}",
            size=f"{n_rows} x 3072 k={_K} float32",
            threads=2,
            wanted=_WANTED,
            quality=f"{ours[1]}, peer {peer[1]}",
        )


def _krylov(tol, X):
    svd = TruncatedSVDReducer(_K, solver="krylov", tol=tol, random_state=0).fit(X)
    return svd.components_, svd.singular_values_


def _gram(X):
    svd = TruncatedSVDReducer(_K, solver="gram").fit(X)
    return svd.components_, svd.singular_values_


def _arpack(tol, X):
    svd = TruncatedSVD(_K, algorithm="arpack", tol=tol, random_state=0).fit(X)
    return svd.components_, svd.singular_values_


def _randomized(n_iter, X):
    svd = TruncatedSVD(_K, n_iter=n_iter, n_oversamples=50, random_state=0).fit(X)
    return svd.components_, svd.singular_values_


def _fbpca(n_iter, X):
    _, values, components = pca(X, _K, raw=True, n_iter=n_iter, l=_K + 50)
    return components, values


def _torch(n_iter, X):
    _, values, V = torch.svd_lowrank(torch.from_numpy(X), _K + 50, niter=n_iter)
    return V.numpy().T[:_K], values.numpy()[:_K]


OURS = [partial(_krylov, tol) for tol in (0.1, 0.05, 0.02)] + [_gram]
PEERS = {
    "scikit-learn arpack": [partial(_arpack, tol) for tol in (1e-2, 0.0)],
    "scikit-learn randomized": [partial(_randomized, n) for n in (3, 4, 5, 6, 8, 12)],
    "fbpca": [partial(_fbpca, n) for n in (2, 3, 4, 5, 6, 8, 12)],
    "torch.svd_lowrank": [partial(_torch, n) for n in (3, 4, 5, 6, 8, 12)],
}


def _first_exact(settings, X, best):
    """Return the first setting that captures 0.9999 of the energy, values to 1e-3."""
    for setting in settings:
        components, values = setting(X)
        share = energy(X, components) / float((best**2).sum())
        wrong = error(values, best)
        if share > 0.9999 and wrong < 1e-3:
            return setting, f"energy {share:.6f}, values to {wrong:.0e}"
    return None
