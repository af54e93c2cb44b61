"""Coding on two threads against one."""

import numpy as np

from sksparse_nn import sparse_encode
from tests.benchmarks._problems import learnt_atoms, patches
from tests.benchmarks._timing import in_turn


def rows(n_rows=20_000):
    """Yield a row of the table for each algorithm."""
    X, D = patches(192, n_rows).astype(np.float32), learnt_atoms(512, 192)
    for settings in (
        {"algorithm": "omp", "n_nonzero_coefs": 10},
        {"algorithm": "ols", "n_nonzero_coefs": 10},
        {"algorithm": "lasso", "alpha": 50.0},
    ):
        two, one = (
            lambda n=n, s=settings: sparse_encode(X, D, n_jobs=n, **s) for n in (2, 1)
        )
        same = np.array_equal(two().data, one().data)
        yield in_turn(two, one, n_rounds=5).row(
            work=f"{settings['algorithm']}, two threads / one",
            size="n=192 K=512",
            type="float32",
            threads="2 / 1",
            quality=f"same bits: {same}",
            wanted=1.8,
        )
