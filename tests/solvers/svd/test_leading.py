"""Leading eigenpairs of products, by each of the ways to find them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.solvers.svd import _leading
from sksparse_nn.solvers.svd._leading import leading_of_stack

WIDTHS = [8, 120, 300, 520]
SPECTRA = {
    "slow": lambda width: 1 / (1 + np.arange(width)),
    "flat": lambda width: 1 - np.arange(width) / (2 * width),
    "copies": lambda width: np.r_[4.0, 3, 3, 3, 2, 2, np.full(width - 6, 1e-3)],
    "one value": np.ones,
    "of rank two": lambda width: np.r_[2.0, 1, np.zeros(width - 2)],
    "twelve decades": lambda width: 10.0 ** -np.linspace(0, 12, width),
    "large": lambda width: 1e150 / (1 + np.arange(width)),
    "none": np.zeros,
}


def with_spectrum(values):
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((len(values),) * 2))[0]
    matrix = (Q * values) @ Q.T
    return (matrix + matrix.T) / 2


@pytest.mark.parametrize("is_rough", [False, True])
@pytest.mark.parametrize("k", [1, 5, 30])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
def test_the_leading_eigenpairs_are_found(spectrum, width, k, is_rough):
    expected = spectrum(width)
    matrix, k = with_spectrum(expected), min(k, width)
    [values], [vectors], [residuals] = leading_of_stack(
        matrix[None], k, is_rough=is_rough
    )
    assert len(values) >= k
    tol = 1e-9 if is_rough else 1e-13
    assert_allclose(values[:k], expected[:k], rtol=tol, atol=tol * expected[0])
    unit = expected[0] or 1
    true = np.linalg.norm((matrix @ vectors - vectors * values) / unit, axis=0)
    assert (true <= residuals / unit + 1e-13).all()
    products = vectors.T @ vectors
    assert_allclose(products, np.eye(len(products)), atol=1e-11)


def test_a_copy_that_one_vector_does_not_reach_is_not_missed(monkeypatch):
    """The first of the unit vectors stays so: it has nothing of the second."""
    matrix = np.diag(np.r_[1.0, 1.0, np.full(298, 0.5)])
    found = [np.r_[1.0, 0.5], np.eye(300)[:, [0, 2]]]

    def one_copy(matrix, k, return_eigenvectors=True, **settings):
        return found if return_eigenvectors else np.linalg.eigvalsh(matrix)[-1:]

    monkeypatch.setattr(_leading, "eigsh", one_copy)
    [values], _, _ = leading_of_stack(matrix[None], 2, is_rough=False)
    assert_array_equal(values[:2], [1, 1])


@pytest.mark.parametrize("width", WIDTHS)
def test_a_second_time_finds_the_same_bits(width):
    matrix = with_spectrum(SPECTRA["slow"](width))[None]
    first, second = (leading_of_stack(matrix, 5, is_rough=True) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert_array_equal(one[0], other[0])
