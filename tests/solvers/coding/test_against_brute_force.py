"""Lasso and elastic net against the best of all supports and signs."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksparse_nn.solvers.coding import ElasticNet, Lasso, encode
from tests.solvers.coding.objective import objectives

N_ATOMS = 6


def atoms(kind, n_features):
    D = np.random.default_rng(1).standard_normal((N_ATOMS, n_features))
    if kind == "duplicates":
        D[3:5] = D[0]
    elif kind == "opposites":
        D[3:] = -D[:3]
    elif kind == "both":
        D[2], D[3], D[4] = D[0], -D[0], -D[1]
    elif kind == "combinations":
        D[4], D[5] = D[0] + D[1], D[2] - D[3]
    elif kind == "zeros":
        D[1::2] = 0
    return D


KINDS = ["generic", "duplicates", "opposites", "both", "combinations", "zeros"]


def stationary_codes(X, D, signs, coder):
    """Return what would be the minima if their nonzeros had these signs, or None.

    Where the penalty is the l1 norm alone, some minimum has independent atoms: along a
    combination of atoms that adds up to zero the fit stays, and the norm is linear
    until a nonzero vanishes, so that at a minimum it stays too. Hence dependent
    supports need no look.
    """
    on = signs != 0
    gram = D[on] @ D[on].T + coder.alpha * (1 - coder.l1_ratio) * np.eye(on.sum())
    if on.any() and np.linalg.cond(gram) > 1e10:
        return None
    C = np.zeros((len(X), len(D)))
    pull = X @ D[on].T - coder.alpha * coder.l1_ratio * signs[on]
    C[:, on] = np.linalg.solve(gram, pull.T).T
    return C


def least_objectives(X, D, coder):
    """Try all supports and signs; any code tried is an upper bound of the minimum."""
    least = np.full(len(X), np.inf)
    for signs in product([0, 1] if coder.positive_code else [-1, 0, 1], repeat=len(D)):
        C = stationary_codes(X, D, np.array(signs), coder)
        if C is not None:
            allowed = (C >= 0).all(axis=1) | (not coder.positive_code)
            found = np.where(allowed, objectives(X, D, C, coder), np.inf)
            least = np.minimum(least, found)
    return least


CODERS = [
    Lasso(0.01),
    Lasso(0.5),
    Lasso(2.0),
    Lasso(0.1, True),
    Lasso(1.0, True),
    ElasticNet(0.05, 0.5),
    ElasticNet(1.0, 0.8),
    ElasticNet(0.5, 0.1, True),
]


@pytest.mark.parametrize("coder", CODERS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_features", [3, 8])
def test_no_support_and_signs_have_a_lower_objective(kind, coder, n_features):
    D = atoms(kind, n_features)
    X = np.random.default_rng(0).standard_normal((30, n_features))
    X[:5] = 2 * D[:5] - D[1:6]
    C = encode(coder, D, X, sparse_output=False)
    assert_allclose(
        objectives(X, D, C, coder), least_objectives(X, D, coder), rtol=1e-9
    )
