"""Seconds until the test objective is that of SPAMS trainDL after five epochs."""

from time import perf_counter

import numpy as np
import spams
from sklearn.datasets import load_digits
from sklearn.decomposition import MiniBatchDictionaryLearning

from sksparse_nn import SparseDictionaryCoder, sparse_encode
from tests.benchmarks._problems import patches
from tests.benchmarks._timing import Contest

_N_ROUNDS = 3


def rows():
    """Yield a row of the table for each data set and peer."""
    X = patches(192, 101_000).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True).clip(1)
    yield _contest("patches", X[:100_000], X[100_000:], 512, _spams, wanted=2)
    digits = load_digits().data / 16
    rng = np.random.default_rng(0)
    digits = digits[rng.permutation(len(digits))]
    for peer, wanted in ((_spams, 2), (_scikit_learn, 20)):
        yield _contest("digits", digits[:1400], digits[1400:], 100, peer, wanted=wanted)


_ALPHA = 0.15


def _objective(X, D):
    D = D / np.linalg.norm(D, axis=1, keepdims=True).clip(1e-12)
    codes = sparse_encode(X, D.astype(X.dtype), algorithm="lasso", alpha=_ALPHA)
    errors = ((X - codes @ D) ** 2).sum(axis=1)
    return np.mean(0.5 * errors + _ALPHA * np.asarray(abs(codes).sum(axis=1)).ravel())


def _spams(X, n_atoms, seed):
    Xt = np.asfortranarray(X.T)
    n_batches = -(-5 * len(X) // 512)
    start = perf_counter()
    D = spams.trainDL(
        Xt, K=n_atoms, lambda1=_ALPHA, iter=n_batches, batchsize=512, numThreads=2,
        verbose=False, posAlpha=False,
    )  # fmt: skip
    return perf_counter() - start, D.T


def _scikit_learn(X, n_atoms, seed):
    peer = MiniBatchDictionaryLearning(
        n_atoms, alpha=_ALPHA, max_iter=5, batch_size=256, fit_algorithm="cd",
        random_state=seed, n_jobs=2,
    )  # fmt: skip
    start = perf_counter()
    peer.fit(X)
    return perf_counter() - start, peer.components_


def _ours(X, n_atoms, test, wanted, *, seed):
    """Return the seconds of the shortest fit whose test objective is as wanted."""
    for n_epochs in range(1, 21):
        coder = SparseDictionaryCoder(
            n_atoms, algorithm="lasso", alpha=_ALPHA, max_epochs=n_epochs, n_jobs=2,
            random_state=seed, batch_size=min(512, len(X) // 5),
        )  # fmt: skip
        start = perf_counter()
        coder.fit(X)
        seconds = perf_counter() - start
        reached = _objective(test, coder.components_)
        if reached <= wanted:
            break
    return seconds, reached, n_epochs


def _contest(name, X, test, n_atoms, peer, *, wanted):
    _ours(X[:2000], n_atoms, test, np.inf, seed=0)
    ours, theirs, notes = [], [], []
    for seed in range(_N_ROUNDS):
        seconds, D = peer(X, n_atoms, seed)
        theirs.append(seconds)
        objective = _objective(test, D)
        seconds, reached, n_epochs = _ours(X, n_atoms, test, objective, seed=seed)
        ours.append(seconds)
        notes.append(f"{reached:.5f} / {objective:.5f} ({n_epochs} epochs)")
    return Contest(np.array(ours), np.array(theirs)).row(
        work=f"learning / {peer.__name__.strip('_')}",
        size=f"{name} {len(X)} x {X.shape[1]} K={n_atoms}",
        type=X.dtype.name,
        threads=2,
        quality="test objective " + ", ".join(notes),
        wanted=wanted,
    )
