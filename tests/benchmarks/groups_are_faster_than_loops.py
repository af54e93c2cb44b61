"""SVD of groups of 32 features, 10 directions each, against loops over the groups."""

from functools import partial

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._problems import images
from tests.benchmarks._timing import in_turn

_GROUPS = [slice(start, start + 32) for start in range(0, 3072, 32)]


def rows(n_rows=20_000):
    """Yield a row of the table for each loop, for one SVD of all, and for one row."""
    X = images(n_rows)
    ours = partial(_groups, X)
    for name, peer, wanted in (
        ("loop of TruncatedSVD", partial(_loop, TruncatedSVD, X), 50),
        (
            "loop of PCA",
            partial(_loop, partial(PCA, svd_solver="covariance_eigh"), X),
            4,
        ),
        ("one global SVD", partial(_one, X), 8),
    ):
        yield in_turn(ours, peer, n_rounds=3).row(
            work=f"SVD by groups, fit + transform / {name}",
            size=f"{n_rows} x 3072, groups of 32, 10 each",
            threads=2,
            wanted=wanted,
            quality=_kept(X),
        )
    yield _one_row(X)


def _groups(X):
    return TruncatedSVDReducer(10, groups=32).fit_transform(X)


def _one(X):
    return TruncatedSVDReducer(100).fit_transform(X)


def _loop(make, X):
    return np.hstack([make(10).fit_transform(X[:, group]) for group in _GROUPS])


def _kept(X):
    ours = float(np.sum(_groups(X).astype(np.float64) ** 2))
    parts = [np.linalg.svd(X[:5000, g], compute_uv=False)[:10] for g in _GROUPS]
    best = sum(float(np.sum(s.astype(np.float64) ** 2)) for s in parts)
    sample = TruncatedSVDReducer(10, groups=32).fit(X[:5000]).transform(X[:5000])
    share = float(np.sum(sample.astype(np.float64) ** 2)) / best
    return f"energy {share:.6f} of the best on 5,000 rows" if ours else ""


def _one_row(X):
    X = X[:2000]
    ours = TruncatedSVDReducer(10, groups=32).fit(X)
    peer = ColumnTransformer(
        [(str(i), PCA(10), group) for i, group in enumerate(_GROUPS)]
    ).fit(X)
    row = X[:1]
    return in_turn(lambda: ours.transform(row), lambda: peer.transform(row)).row(
        work="one row, transform / ColumnTransformer of 96 PCAs",
        size="1 x 3072, groups of 32, 10 each",
        threads=2,
        wanted=50,
        quality="",
    )
