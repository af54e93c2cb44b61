"""SVD of groups of 32 features, 10 directions each, against loops over the groups."""

from functools import partial

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._floor import floor
from tests.benchmarks._problems import images
from tests.benchmarks._svd_row import svd_row

_GROUPS = [slice(start, start + 32) for start in range(0, 3072, 32)]
_K = 10


def rows(n_rows=50_000):
    """Yield a row of the table for each loop, for one SVD of all, and for one row."""
    X = images(n_rows)
    best = _energy(_loop(partial(TruncatedSVD, algorithm="arpack"), X[:5000]))
    for name, peer, wanted in (
        ("loop of TruncatedSVD", partial(_loop, TruncatedSVD), 50),
        ("loop of PCA", partial(_loop, partial(PCA, svd_solver="covariance_eigh")), 4),
        ("ours, one SVD, k=100", _one, 8),
        ("scikit-learn, one TruncatedSVD, k=100", _peers_one, 8),
    ):
        center = "PCA" in name
        share = _energy(_groups(X[:5000])) / best
        yield svd_row(
            partial(_groups, X, center=center),
            partial(peer, X),
            work=f"groups, fit + transform / {name}",
            size=f"{n_rows} x 3072, groups of 32, {_K} each",
            threads=2,
            wanted=wanted,
            quality=f"energy {share:.6f} of arpack's, 5,000 rows",
            # Read to fit, read and written to transform; half a product and a product.
            floor=floor(
                operations=X.size * (32.0 + 2 * _K),
                n_bytes=X.nbytes * (2 + _K / 32),
            ),
        )
    yield _one_row(X[:2000])


def _groups(X, *, center=False):
    return TruncatedSVDReducer(_K, groups=32, center=center).fit_transform(X)


def _one(X):
    return TruncatedSVDReducer(100, random_state=0).fit_transform(X)


def _peers_one(X):
    return TruncatedSVD(100, random_state=0).fit_transform(X)


def _loop(make, X):
    return np.hstack([make(_K).fit_transform(X[:, group]) for group in _GROUPS])


def _energy(Z):
    return float(np.sum(Z.astype(np.float64) ** 2))


def _one_row(X):
    ours = TruncatedSVDReducer(_K, groups=32, center=True).fit(X)
    peer = ColumnTransformer(
        [(str(i), PCA(_K), group) for i, group in enumerate(_GROUPS)]
    ).fit(X)
    row = X[:1]
    near = np.abs(np.abs(ours.transform(row)) - np.abs(peer.transform(row))).max()
    return svd_row(
        lambda: ours.transform(row),
        lambda: peer.transform(row),
        n_rounds=101,
        work="one row, transform / ColumnTransformer of 96 PCAs",
        size=f"1 x 3072, groups of 32, {_K} each",
        threads=2,
        wanted=50,
        quality=f"coordinates of both within {near:.0e}",
        floor=floor(n_bytes=4.0 * 3072 * _K),
    )
