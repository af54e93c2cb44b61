"""The rule behind ``solver="auto"``."""

import pytest

from sksparse_nn.solvers.svd import choose_solver, partition_features

CASES = [
    ((1797, 64), None, "exact"),
    ((500, 500), 32, "exact"),
    ((50_000, 3072), 32, "gram"),
    ((50_000, 3072), None, "gram"),
    ((1000, 4000), None, "krylov"),
    ((100_000, 20_000), None, "krylov"),
    ((100_000, 20_000), 100, "gram"),
    ((330, 2_000_000), None, "krylov"),
]


@pytest.mark.parametrize(("shape", "groups", "expected"), CASES)
def test_shape_and_groups_choose_the_solver(shape, groups, expected):
    assert choose_solver(shape, partition_features(groups, shape[1])) == expected
