"""How near singular values and a subspace are to the best."""

import numpy as np
from scipy.sparse.linalg import svds


def best_of_dense(X, k):
    """Return the leading singular values by the products in float64."""
    gram = sum(
        (part := X[i : i + 4096].astype(np.float64)).T @ part
        for i in range(0, len(X), 4096)
    )
    return np.sqrt(np.linalg.eigvalsh(gram)[::-1][:k])


def best_of_sparse(X, k):
    """Return the leading singular values by Lanczos iteration to 1e-8."""
    return svds(X.astype(np.float64), k, tol=1e-8, random_state=0)[1][::-1]


def energy(X, components):
    """Return the squared norm of the part of the rows in the span of components."""
    Q = np.linalg.qr(np.asarray(components, np.float64).T)[0].astype(X.dtype)
    return sum(
        float(np.sum((X[i : i + 4096] @ Q).astype(np.float64) ** 2))
        for i in range(0, X.shape[0], 4096)
    )


def error(values, best):
    """Return the largest relative error of singular values."""
    return float(np.abs(values / best - 1).max())
