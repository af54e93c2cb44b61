"""One SVD of images, each solver at its fastest setting that is exact enough."""

from functools import partial

import torch
from fbpca import pca
from sklearn.decomposition import PCA, TruncatedSVD

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._floor import floor
from tests.benchmarks._problems import images
from tests.benchmarks._spectrum import best_of_dense, energy, error
from tests.benchmarks._svd_row import svd_row

_K = 100


def rows(n_rows=50_000):
    """Yield a row of the table for each peer, centred for PCA."""
    X = images(n_rows)
    mean = X.mean(axis=0, dtype=float).astype(X.dtype)
    for center, peers in ((False, PEERS), (True, CENTRED_PEERS)):
        Y = X - mean if center else X
        best = best_of_dense(Y, _K)
        ours = _first_exact(_ours(center), X, Y, best)
        for name, settings in peers.items():
            peer = _first_exact(settings, X, Y, best)
            if peer is None:
                yield {"work": f"SVD / {name}", "quality": "never exact enough"}
                continue
            yield svd_row(
                partial(ours[0], X),
                partial(peer[0], X),
                work=f"{'centred ' if center else ''}SVD / {name}",
                size=f"{n_rows} x 3072 k={_K} float32",
                threads=2,
                wanted=2,
                quality=f"{ours[1]}; peer {peer[1]}",
                # To see a direction, and to tell how long it is, takes two products.
                floor=floor(operations=4.0 * X.size * _K, n_bytes=X.nbytes),
            )


def _ours(center):
    return [partial(_krylov, tol, center) for tol in (0.1, 0.05, 0.03, 0.01)]


def _krylov(tol, center, X):
    svd = TruncatedSVDReducer(_K, center=center, tol=tol, random_state=0).fit(X)
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


def _pca(options, X):
    svd = PCA(_K, random_state=0, **options).fit(X)
    return svd.components_, svd.singular_values_


PEERS = {
    "scikit-learn arpack": [partial(_arpack, tol) for tol in (1e-2, 0.0)],
    "scikit-learn randomized": [partial(_randomized, n) for n in (3, 4, 5, 6, 8, 12)],
    "fbpca": [partial(_fbpca, n) for n in (2, 3, 4, 5, 6, 8, 12)],
    "torch.svd_lowrank": [partial(_torch, n) for n in (2, 3, 4, 5, 6, 8, 12)],
}
CENTRED_PEERS = {
    "scikit-learn PCA covariance_eigh": [
        partial(_pca, {"svd_solver": "covariance_eigh"})
    ],
    "scikit-learn PCA randomized": [
        partial(
            _pca,
            {"svd_solver": "randomized", "iterated_power": n, "n_oversamples": 50},
        )
        for n in (3, 4, 5, 6, 8, 12)
    ],
}


def _first_exact(settings, X, Y, best):
    """Return the first setting that captures 0.9999 of the energy, values to 1e-3.

    The settings see `X`, their answers are judged on `Y`.
    """
    for setting in settings:
        components, values = setting(X)
        share = energy(Y, components) / float((best**2).sum())
        wrong = error(values, best)
        if share > 0.9999 and wrong < 1e-3:
            return setting, f"energy {share:.6f}, values to {wrong:.0e}"
    return None
