"""The sign of a component is its own affair."""

import numpy as np
from numpy.testing import assert_array_equal

from sksparse_nn.solvers.svd._signs import fix_signs


def test_the_largest_entry_is_positive():
    assert_array_equal(fix_signs(np.array([[1.0, -3, 2]])), [[-1, 3, -2]])


def test_of_largest_entries_the_first_decides():
    V = np.array([[-1.0, 0.2, 1 + 1e-7], [-1.0, 0.2, 1 - 1e-7]])
    assert np.all(fix_signs(V)[:, 0] == 1)


def test_negated_components_come_out_alike():
    V = np.random.default_rng(0).standard_normal((50, 9))
    assert_array_equal(fix_signs(V), fix_signs(-V))
