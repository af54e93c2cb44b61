"""Principal components of sparse counts, which centring must not make dense."""

from functools import partial

import numpy as np
from scipy import sparse
from sklearn.decomposition import PCA

from sksparse_nn import TruncatedSVDReducer
from tests.benchmarks._floor import floor
from tests.benchmarks._spectrum import error
from tests.benchmarks._svd_row import svd_row

_K = 50
_TOPICS = 60


def rows(n_rows=50_000, n_columns=20_000):
    """Yield a row of the table."""
    X = _counts(n_rows, n_columns)
    best = _fitted(1e-4, X).singular_values_
    tol, wrong = next(
        (tol, wrong)
        for tol in (0.2, 0.1, 0.05, 0.03, 0.01)
        if (wrong := error(_fitted(tol, X).singular_values_, best)) < 1e-2
    )
    peer = partial(PCA(_K, svd_solver="arpack", random_state=0).fit, X)
    peer_wrong = error(peer().singular_values_, best)
    share = X.nnz / n_rows / n_columns
    yield svd_row(
        partial(_fitted, tol, X),
        peer,
        n_rounds=1,
        work="centred SVD of synthetic counts / scikit-learn PCA arpack",
        size=f"{n_rows} x {n_columns}, {share:.1%} nonzero, k={_K} float32",
        threads=2,
        wanted=3,
        quality=f"values to {wrong:.0e}; peer {peer_wrong:.0e}",
        floor=floor(operations=4.0 * X.nnz * _K, n_bytes=8.0 * X.nnz * _K),
    )


def _fitted(tol, X):
    reducer = TruncatedSVDReducer(
        _K, center=True, tol=tol, max_passes=40, random_state=0
    )
    return reducer.fit(X)


def _counts(n_rows, n_columns):
    """Return Poisson counts of mixed topics, about one in twenty of them nonzero."""
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(n_columns, 0.05), _TOPICS)
    parts = []
    for start in range(0, n_rows, 1000):
        mixtures = rng.dirichlet(np.full(_TOPICS, 0.1), min(1000, n_rows - start))
        counts = rng.poisson(0.065 * n_columns * mixtures @ topics)
        parts.append(sparse.csr_array(counts.astype(np.float32)))
    return sparse.vstack(parts).tocsr()
