"""Seconds of ten epochs of K-SVD against dictlearn, from the same atoms."""

import numpy as np
from dictlearn import DictionaryLearning

from sksparse_nn import SparseDictionaryCoder, sparse_encode
from tests.benchmarks._problems import patches
from tests.benchmarks._timing import in_turn

_N_EPOCHS, _N_ROUNDS = 10, 5


def rows():
    """Yield a row of the table for each size."""
    for n_features, n_atoms, n_nonzero in ((64, 128, 5), (192, 256, 8)):
        yield _contest(patches(n_features, 20_000), n_atoms, n_nonzero)


def _contest(X, n_atoms, n_nonzero):
    init = X[:: len(X) // n_atoms][:n_atoms]
    # dictlearn takes initial atoms as they are: longer ones are used more at first.
    init = init / np.linalg.norm(init, axis=1, keepdims=True)
    ours = SparseDictionaryCoder(
        n_atoms, algorithm="omp", n_nonzero_coefs=n_nonzero, learner="ksvd",
        init=init, max_epochs=_N_EPOCHS, n_jobs=2, random_state=0,
    )  # fmt: skip
    peer = DictionaryLearning(
        n_atoms, fit_algorithm="aksvd", transform_algorithm="omp", dict_init=init,
        n_nonzero_coefs=n_nonzero, max_iter=_N_EPOCHS, random_state=0,
    )  # fmt: skip
    contest = in_turn(lambda: ours.fit(X), lambda: peer.fit(X), _N_ROUNDS)
    errors = [_error(X, model.components_, n_nonzero) for model in (ours, peer)]
    return contest.row(
        work="K-SVD / dictlearn aksvd",
        size=f"{len(X)} x {X.shape[1]} K={n_atoms} k={n_nonzero}",
        type=X.dtype.name,
        threads=2,
        wanted=5,
        quality=f"squared error {errors[0]:.5f} / {errors[1]:.5f}",
    )


def _error(X, D, n_nonzero):
    codes = sparse_encode(X, D, algorithm="omp", n_nonzero_coefs=n_nonzero)
    return np.mean((X - codes @ D) ** 2)
