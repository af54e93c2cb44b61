"""Rows of an atom in blocks, and directions by iteration, against all at once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sksparse_nn.solvers.dictionary import _served
from sksparse_nn.solvers.dictionary._kept_codes import KeptCodes
from sksparse_nn.solvers.dictionary._served import Served

SHAPES = {"tall": (300, 40), "wide": (60, 200)}
LIMITS = {
    "in one go": {},
    "in blocks": {"_NUMBERS": 64},
    "iterated": {"_SQUARED": 2},
    "iterated in blocks": {"_NUMBERS": 64, "_SQUARED": 2},
}


def keep(C):
    kept = KeptCodes(C.shape[1], C.dtype)
    kept.append((np.diff(C.indptr), C.indices, C.data))
    kept.join()
    return kept


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_is_left_of_rows_is_never_formed(shape, form, limits, monkeypatch):
    for name, value in limits.items():
        monkeypatch.setattr(_served, name, value)
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape) * (rng.random(shape) < 0.5)
    D = rng.standard_normal((8, shape[1]))
    C = rng.standard_normal((shape[0], 8)) * (rng.random((shape[0], 8)) < 0.5)
    rows, factors = np.flatnonzero(C[:, 3]), rng.random(np.count_nonzero(C[:, 3]))
    left = X[rows] - np.delete(C, 3, 1)[rows] @ np.delete(D, 3, 0)
    served = Served(form(X), keep(sparse.csr_matrix(C)), rows, D, 3)
    assert_allclose(served.sum(factors), factors @ left, atol=1e-10)
    assert_allclose(served.along(D[0]), left @ D[0], atol=1e-10)
    found = served.main_direction(factors)
    right = np.linalg.svd(left * factors[:, None])[2][0]
    cosine = found @ right / np.linalg.norm(found)
    assert_allclose(abs(cosine), 1, atol=1e-10)
    assert found @ D[3] >= 0
