"""Arrays of mostly one number come back as they were, from less."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn.solvers.layers import drop_zeros, restore_zeros


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("zero", [0, 7])
@pytest.mark.parametrize("shape", [(13, 7), (1, 1), (0, 4)])
def test_storage_is_exact(dtype, share, zero, shape):
    rng = np.random.default_rng(0)
    values = np.full(shape, zero, dtype)
    others = rng.random(shape) < share
    values[others] = rng.integers(1, 7, others.sum())
    bits, written = drop_zeros(values, zero)
    restored = restore_zeros(bits, written, shape, zero)
    assert restored.dtype == dtype
    assert_array_equal(restored, values)
    n_bytes = written.nbytes + (0 if bits is None else bits.nbytes)
    assert n_bytes <= values.nbytes


def test_few_values_take_little():
    values = np.zeros((100, 100), np.int8)
    values[0] = 1
    bits, written = drop_zeros(values)
    assert bits.nbytes + written.nbytes == 100 * 100 / 8 + 100
