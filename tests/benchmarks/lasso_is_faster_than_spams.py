"""Lasso against SPAMS and scikit-learn, on dictionaries learnt from patches."""

import numpy as np
import spams
from sklearn.decomposition import sparse_encode as peer_encode

from sksparse_nn import sparse_encode
from sksparse_nn.solvers._rows import block_slices, read_rows
from sksparse_nn.solvers.coding import Lasso, compress_codes
from tests.benchmarks._problems import learnt_atoms, patches
from tests.benchmarks._timing import in_turn

_SIZES = [(192, 512, 3.0), (64, 256, 2.5), (36, 1024, 2.5)]
_ALPHA = 0.1


def rows(n_rows=4000):
    """Yield rows of the table: cold and warm against SPAMS, then scikit-learn."""
    for n_features, n_atoms, wanted in _SIZES:
        X, D = patches(n_features, n_rows), learnt_atoms(n_atoms, n_features)
        X = X / np.linalg.norm(X, axis=1, keepdims=True).clip(1)
        for dtype in (np.float32, np.float64):
            for n_threads in (1, 2):
                yield _cold(X.astype(dtype), D.astype(dtype), n_threads, wanted)
        yield _warm(X, D)
    yield _against_scikit_learn(patches(64, 300) / 100, learnt_atoms(256, 64))


def _gap(X, D, codes):
    residual = X - codes @ D
    steepest = np.abs(residual @ D.T).max(axis=1)
    shrink = np.minimum(1, _ALPHA / np.maximum(steepest, 1e-300))
    squares = (residual**2).sum(axis=1)
    primal = 0.5 * squares + _ALPHA * np.asarray(np.abs(codes).sum(axis=1)).ravel()
    dual = shrink * (X * residual).sum(axis=1) - 0.5 * shrink**2 * squares
    gaps = (primal - dual) / np.where(primal > 0, primal, 1)
    return f"{gaps.max():.1e}"


def _cold(X, D, n_threads, wanted):
    Xt, Dt = np.asfortranarray(X.T), np.asfortranarray(D.T)

    def ours():
        return sparse_encode(X, D, algorithm="lasso", alpha=_ALPHA, n_jobs=n_threads)

    def peer():
        return spams.lasso(Xt, Dt, lambda1=_ALPHA, mode=2, numThreads=n_threads)

    codes = ours()
    return in_turn(ours, peer, n_rounds=5).row(
        work="lasso / SPAMS lasso, cold",
        size=f"n={X.shape[1]} K={len(D)} nnz={codes.nnz / len(X):.1f}",
        type=X.dtype.name,
        threads=n_threads,
        quality=f"largest gap {_gap(X, D, codes)}, peer {_gap(X, D, peer().T)}",
        wanted=wanted,
    )


def _warm(X, D):
    """Start from the codes of a dictionary a small step away, as in learning."""
    rng = np.random.default_rng(2)
    near = D + 0.02 * rng.standard_normal(D.shape) / np.sqrt(D.shape[1])
    coder = Lasso(_ALPHA)
    blocks = [read_rows(X, which) for which in block_slices(len(X))]
    before = coder.prepare(near)
    starts = [compress_codes(coder.encode(before, rows)) for rows in blocks]
    Xt, Dt = np.asfortranarray(X.T), np.asfortranarray(D.T)

    def ours():
        atoms = coder.prepare(D)
        for rows, start in zip(blocks, starts, strict=True):
            coder.encode(atoms, rows, start)

    def peer():
        return spams.lasso(Xt, Dt, lambda1=_ALPHA, mode=2, numThreads=1)

    return in_turn(ours, peer, n_rounds=5).row(
        work="lasso / SPAMS lasso, warm",
        size=f"n={X.shape[1]} K={len(D)}",
        type=X.dtype.name,
        threads=1,
        quality="",
        wanted=4,
    )


def _against_scikit_learn(X, D):
    def ours():
        return sparse_encode(X, D, algorithm="lasso", alpha=_ALPHA, n_jobs=1)

    def peer():
        return peer_encode(
            X, D, algorithm="lasso_cd", alpha=_ALPHA, n_jobs=1, max_iter=10_000
        )

    return in_turn(ours, peer, n_rounds=3).row(
        work="lasso / scikit-learn lasso_cd",
        size=f"n={X.shape[1]} K={len(D)}",
        type=X.dtype.name,
        threads=1,
        quality=f"largest gap {_gap(X, D, ours())}, peer {_gap(X, D, peer())}",
        wanted=40,
    )
