"""What is left of a row by rounding alone has no atoms, in any coder and type."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn.solvers.coding import CODERS, encode

DTYPES = [np.float32, np.float64]
SETTINGS = {
    "omp": {"n_nonzero_coefs": 8},
    "ols": {"n_nonzero_coefs": 8},
    "lasso": {"alpha": 1e-2},
    "elastic_net": {"alpha": 1e-2, "l1_ratio": 1.0},
    "threshold": {"alpha": 0.0},
    "soft_threshold": {"alpha": 0.0},
    "top_k": {"n_nonzero_coefs": 8},
    "triangle": {},
}


def exact_sums(dtype, seed):
    """Make atoms in two spaces at right angles, and rows of one to three of them."""
    rng = np.random.default_rng(seed)
    D = rng.standard_normal((12, 20))
    D[6:, :10] = D[:6, 10:] = 0
    D = D @ np.linalg.qr(rng.standard_normal((20, 20)))[0]
    X = np.vstack([D, D[:6] + D[6:], D[:4] - 2 * D[4:8] + D[8:]])
    return X.astype(dtype), D.astype(dtype)


def rounded_otherwise(array, rng):
    """Move some entries to the next number."""
    to = rng.choice([-np.inf, np.inf], array.shape).astype(array.dtype)
    return np.where(rng.random(array.shape) < 0.5, array, np.nextafter(array, to))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", CODERS)
def test_no_support_depends_on_rounding(algorithm, dtype, seed):
    X, D = exact_sums(dtype, seed)
    rng = np.random.default_rng(seed)
    coder = CODERS[algorithm](**SETTINGS[algorithm])
    codes = encode(coder, D, X)
    again = encode(coder, rounded_otherwise(D, rng), rounded_otherwise(X, rng))
    assert_array_equal(codes.indptr, again.indptr)
    assert_array_equal(codes.indices, again.indices)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", CODERS)
def test_no_coefficient_is_rounding(algorithm, dtype, seed):
    X, D = exact_sums(dtype, seed)
    codes = encode(CODERS[algorithm](**SETTINGS[algorithm]), D, X)
    assert np.abs(codes.data).min() > 100 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ["omp", "ols"])
def test_pursuit_of_sums_of_coherent_atoms_stops_at_the_rounding(algorithm, dtype):
    rng = np.random.default_rng(0)
    for _ in range(10):
        D = rng.random((12, 20)).astype(dtype)
        X = np.vstack([D, D[:6] + D[6:], D[:4] - 2 * D[4:8] + D[8:]])
        codes = encode(CODERS[algorithm](12), D, X)
        left = X - codes @ D
        share = np.linalg.norm(left, axis=1) / np.linalg.norm(X, axis=1)
        assert share.max() < 100 * np.finfo(dtype).eps
        assert np.abs(codes.data).min() > 100 * np.finfo(dtype).eps
