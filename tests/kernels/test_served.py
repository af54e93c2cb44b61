"""Sums of codes of some rows, less one of their atoms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sksparse_nn.kernels.served import add_shares, subtract_projections


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_are_those_of_dense_codes(dtype):
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((30, 9)) * (rng.random((30, 9)) < 0.4)
    codes = sparse.csr_array(dense.astype(dtype))
    arrays = codes.indptr.astype(np.int64), codes.indices.astype(np.uint8), codes.data
    rows, atom = np.array([3, 3, 17, 0, 29]), 4
    rest = codes.toarray()[rows].astype(np.float64)
    rest[:, atom] = 0
    factors, of_atoms = rng.standard_normal(5), rng.standard_normal(9)
    shares, left = np.ones(9), np.full(5, 2.0)
    add_shares(*arrays, rows, atom, factors, shares)
    subtract_projections(*arrays, rows, atom, of_atoms, left)
    assert_allclose(shares, 1 + rest.T @ factors, rtol=1e-12)
    assert_allclose(left, 2 - rest @ of_atoms, rtol=1e-12)
