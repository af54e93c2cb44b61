"""Few components of many more rows than columns, on one thread, against PCA."""

from functools import partial

import numpy as np
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._floor import floor
from tests.benchmarks._spectrum import error
from tests.benchmarks._svd_row import svd_row

_SHAPES = [
    *[(1000, 4), (1000, 20), (1000, 100), (1000, 500)],
    *[(10_000, 4), (10_000, 20), (10_000, 100), (10_000, 500)],
    *[(20_000, 50), (20_000, 128), (200_000, 20), (100_000, 300)],
    *[(1_000_000, 4), (1_000_000, 20), (1_000_000, 100)],
]
_SPECTRA = {
    "slow": lambda width: 1 / np.sqrt(1 + np.arange(width)),
    # What products in float32 lose.
    "six decades": lambda width: 10.0 ** -np.linspace(0, 6, width),
}
# Rounds for a million numbers.
_ROUNDS = 15


def rows():
    """Yield a row of the table for each shape, type and spectrum."""
    for shape in _SHAPES:
        for dtype in (np.float32, np.float64):
            if shape[0] * shape[1] * dtype().nbytes <= 2**29:
                yield _row("slow", shape, dtype, min(5, shape[1] // 2))
    for dtype in (np.float32, np.float64):
        yield _row("six decades", (20_000, 100), dtype, 90)


def _row(spectrum, shape, dtype, k):
    X = _rows(spectrum, shape, dtype)
    ours = TruncatedSVDReducer(k, center=True)
    peer = PCA(k, random_state=0)
    with threadpool_limits(1):
        best = _values(X)[:k]
        wrong = [error(one.fit(X).singular_values_, best) for one in (ours, peer)]
        return svd_row(
            partial(ours.fit, X),
            partial(peer.fit, X),
            n_rounds=int(np.clip(_ROUNDS * 1e6 / X.size, 3, 60)),
            work=f"tall centred SVD, {spectrum} / scikit-learn PCA",
            size=f"{shape[0]} x {shape[1]} k={k} {X.dtype}",
            threads=1,
            wanted=0.83,
            quality=f"{ours.solver_}, values to {wrong[0]:.0e}; peer {wrong[1]:.0e}",
            floor=floor(operations=X.size * shape[1], n_bytes=X.nbytes),
        )


def _rows(spectrum, shape, dtype):
    rng = np.random.default_rng(0)
    lengths = _SPECTRA[spectrum](shape[1])
    V = np.linalg.qr(rng.standard_normal((shape[1],) * 2))[0]
    VT = (lengths[:, None] * V).astype(dtype)
    return rng.standard_normal(shape, np.float32).astype(dtype) @ VT


def _values(X):
    """Return the singular values about the mean, by LAPACK."""
    about_mean = X.astype(np.float64)
    about_mean -= about_mean.mean(axis=0)
    return np.linalg.svd(np.linalg.qr(about_mean, mode="r"), compute_uv=False)
