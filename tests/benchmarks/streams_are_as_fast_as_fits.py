"""Chunks of 4096 rows against all rows at once, and against IncrementalPCA."""

from functools import partial

from sklearn.base import clone
from sklearn.decomposition import IncrementalPCA

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._problems import images
from tests.benchmarks._spectrum import error
from tests.benchmarks._timing import in_turn

_K = 100


def rows(n_rows=20_000):
    """Yield a row of the table for each peer."""
    X = images(n_rows)
    ours = partial(_stream, TruncatedSVDReducer(_K, center=True), X)
    fit = partial(TruncatedSVDReducer(_K, center=True, solver="gram").fit, X)
    incremental = partial(_stream, IncrementalPCA(_K), X)
    near = error(ours().singular_values_, fit().singular_values_)
    for name, peer, wanted in (
        ("fit of all rows", fit, 1 / 1.3),
        ("IncrementalPCA", incremental, 3),
    ):
        yield in_turn(ours, peer, n_rounds=3).row(
            work=f"SVD of chunks / {name}",
            size=f"{n_rows} x 3072 in chunks of 4096, k={_K}",
            threads=2,
            wanted=f"{wanted:.2g}",
            quality=f"singular values of both within {near:.0e}",
        )


def _stream(estimator, X):
    estimator = clone(estimator)
    for start in range(0, len(X), 4096):
        estimator.partial_fit(X[start : start + 4096])
    return estimator
