"""Chunks of 4096 rows of a file against all rows in memory, and IncrementalPCA."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import IncrementalPCA

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._floor import floor
from tests.benchmarks._problems import images
from tests.benchmarks._spectrum import best_of_dense, error
from tests.benchmarks._svd_row import svd_row

_K = 100


def rows(n_rows=50_000, n_incremental=12_288):
    """Yield a row of the table for each peer; the slow one has fewer rows."""
    X = images(n_rows)
    fit = TruncatedSVDReducer(_K, center=True, solver="gram").fit
    incremental = partial(_stream, IncrementalPCA(_K))
    with TemporaryDirectory() as folder:
        np.save(Path(folder) / "X.npy", X)
        on_disk = np.load(Path(folder) / "X.npy", mmap_mode="r")
        for name, peer, wanted, n in (
            ("fit of all rows, solver='gram'", fit, 1 / 1.3, n_rows),
            ("IncrementalPCA", incremental, 3, n_incremental),
        ):
            yield _row(name, X[:n], on_disk[:n], peer, wanted)


def _row(name, X, on_disk, peer, wanted):
    best = best_of_dense(X - X.mean(axis=0, dtype=float).astype(X.dtype), _K)
    ours = partial(_stream, TruncatedSVDReducer(_K, center=True), on_disk)
    peer = partial(peer, X)
    return svd_row(
        ours,
        peer,
        n_rounds=2,
        work=f"stream / {name}",
        size=f"{len(X)} x 3072 in chunks of 4096, k={_K}",
        threads=2,
        wanted=f"{wanted:.2g}",
        quality=f"values to {_wrong(ours, best)}; peer {_wrong(peer, best)}",
        # Half of the products of features, the other half being the same.
        floor=floor(operations=float(X.size) * 3072, n_bytes=X.nbytes),
    )


def _stream(estimator, X):
    estimator = clone(estimator)
    for start in range(0, len(X), 4096):
        estimator.partial_fit(X[start : start + 4096])
    assert len(estimator.components_) == _K  # ours decomposes when asked
    return estimator


def _wrong(call, best):
    return f"{error(call().singular_values_, best):.0e}"
