"""Matrices of known spectrum, and what LAPACK says of them."""

import numpy as np

SPECTRA = {
    "fast": lambda m: 0.5 ** np.arange(m),
    "slow": lambda m: 1 / np.sqrt(1 + np.arange(m)),
    "flat": np.ones,
    "repeated": lambda m: 1.0 / (1 + np.arange(m) // 4),
    "deficient": lambda m: (np.arange(m) < 6) / (1.0 + np.arange(m)),
}
SHAPES = [(400, 40), (60, 150)]


def matrix(name, shape, dtype=np.float64, *, offset=0.0, scale=1.0):
    """Make a matrix whose singular values are those of a spectrum, times a root."""
    rng = np.random.default_rng(0)
    short = min(shape)
    U = np.linalg.qr(rng.standard_normal((shape[0], short)))[0]
    V = np.linalg.qr(rng.standard_normal((shape[1], short)))[0]
    X = (U * SPECTRA[name](short) * np.sqrt(shape[0])) @ V.T
    return (scale * (X + offset)).astype(dtype)


def centred(X, center):
    """Return float64 rows, about their mean if asked for."""
    X = X.astype(np.float64)
    return X - X.mean(axis=0) if center else X


def singular_values(X):
    """Return the singular values that LAPACK finds."""
    return np.linalg.svd(X, compute_uv=False)


def residuals(X, values, components):
    """Return ``||X'u - s v|| / s`` of each triplet, with ``u = X v / s``."""
    V = components.astype(np.float64).T
    return np.linalg.norm(X.T @ (X @ V) / values**2 - V, axis=0)
