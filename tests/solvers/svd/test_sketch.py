"""Few rows that stand for many, and how wrong they say they are."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn.solvers.svd import (
    WeightedRows,
    decompose,
    partition_features,
    rank_rule,
    stream_solver,
)
from sksparse_nn.solvers.svd._sketch import SketchSolver, empty_sketch
from tests.solvers.svd.spectra import (
    SPECTRA,
    centred,
    matrix,
    residuals,
    singular_values,
)

SHAPE = (1500, 90)

every_spectrum = pytest.mark.parametrize("spectrum", SPECTRA)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
centred_or_not = pytest.mark.parametrize("center", [False, True])


def sketched(X, *, size=20, cuts=(), weight=None, groups=None):
    partition = partition_features(groups, X.shape[1])
    sketch = empty_sketch(partition, size, X.dtype)
    bounds = [0, *cuts, X.shape[0]]
    for start, stop in pairwise(bounds):
        where = slice(start, stop)
        w = None if weight is None else weight[where]
        sketch = sketch.add(WeightedRows(X[where], w, partition))
    return sketch


def solve(sketch, k=8, *, center=False):
    solver = stream_solver(sketch, center=center)
    return decompose(solver, sketch, sketch.partition, rank_rule(k))


@every_spectrum
@every_dtype
@centred_or_not
def test_what_is_lost_bounds_the_error(spectrum, dtype, center):
    X = matrix(spectrum, SHAPE, dtype, offset=0.1)
    sketch = sketched(X)
    found = solve(sketch, center=center)
    exact = centred(X, center)
    k, slack = len(found.singular_values), 1e-5 * singular_values(exact)[0] ** 2
    off = singular_values(exact)[:k] ** 2 - found.singular_values**2
    assert np.all(off >= -slack)
    assert np.all(off <= sketch.whole().lost[0] + slack)
    true = residuals(exact, found.singular_values, found.components)
    assert np.all(true <= 1.01 * found.residuals + 1e-9)
    assert_allclose(found.energy, (exact**2).sum(), rtol=1e-5)


@centred_or_not
def test_low_rank_rows_lose_nothing(center):
    X = matrix("deficient", SHAPE, offset=3.0)
    found = solve(sketched(X), 6, center=center)
    expected = singular_values(centred(X, center))[: len(found.singular_values)]
    assert_allclose(found.singular_values, expected, rtol=1e-6)


@every_dtype
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_the_cut_of_a_stream_changes_no_bit(dtype, kind):
    X = kind(matrix("slow", SHAPE, dtype))
    whole = solve(sketched(X))
    for cuts in ([1], [700, 701], range(97, 1500, 97)):
        assert_array_equal(solve(sketched(X, cuts=cuts)).components, whole.components)


@every_dtype
@centred_or_not
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_rows_are_taken_in_as_dense_ones(dtype, center, weighted):
    X = matrix("slow", SHAPE, dtype)
    X[np.random.default_rng(1).random(SHAPE) > 0.2] = 0
    weight = np.linspace(0.5, 2, len(X)) if weighted else None
    dense, csr = (
        solve(sketched(data, weight=weight), center=center)
        for data in (X, sparse.csr_array(X))
    )
    assert_allclose(csr.singular_values, dense.singular_values, rtol=1e-5)
    assert_allclose(csr.mean, dense.mean, atol=1e-6)
    assert_allclose(csr.energy, dense.energy, rtol=1e-5)


@centred_or_not
def test_weights_count_as_repetitions(center):
    X = matrix("fast", (400, 40))
    weight = np.random.default_rng(1).integers(1, 4, len(X))
    one = solve(sketched(X, weight=weight.astype(float)), center=center)
    other = solve(sketched(X.repeat(weight, axis=0)), center=center)
    assert_allclose(one.singular_values, other.singular_values, rtol=1e-6)
    assert one.weight == other.weight


@centred_or_not
@pytest.mark.parametrize("groups", [30, [0, 1, 2] * 30])
def test_each_group_has_a_sketch(center, groups):
    X = matrix("slow", SHAPE)
    partition = partition_features(groups, 90)
    found = solve(sketched(X, size=30, groups=groups), 5, center=center)
    for group in range(3):
        own = centred(X[:, partition.labels == group], center)
        rows = found.component_groups == group
        assert_allclose(
            found.singular_values[rows], singular_values(own)[:5], rtol=1e-6
        )


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e9, 1e30])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_scale_changes_nothing_but_the_singular_values(scale, kind):
    plain = solve(sketched(kind(matrix("slow", SHAPE, np.float32))))
    scaled = solve(sketched(kind(matrix("slow", SHAPE, np.float32, scale=scale))))
    assert_allclose(scaled.singular_values / scale, plain.singular_values, rtol=1e-4)
    assert_allclose(scaled.residuals, plain.residuals, rtol=1e-3)


def test_a_solver_makes_its_own_sketch():
    X = matrix("fast", SHAPE)
    rows = WeightedRows(X, None, partition_features(None, X.shape[1]))
    solver = SketchSolver(size=20)
    found = decompose(solver, solver.prepare(rows), rows.partition, rank_rule(8))
    assert_allclose(found.singular_values, solve(sketched(X)).singular_values)


def test_rows_may_grow_beyond_all_that_came_before():
    X = matrix("fast", SHAPE, np.float32)
    X[1000:] *= 1e25
    found = solve(sketched(X), 3)
    assert_allclose(
        found.singular_values, singular_values(X.astype(float))[:3], rtol=1e-3
    )


@every_dtype
@centred_or_not
def test_zeros_have_one_component_without_energy(dtype, center):
    found = solve(sketched(np.zeros((600, 7), dtype)), center=center)
    assert_array_equal(found.components, np.eye(7)[:1])
    assert found.energy == 0


@every_dtype
def test_constant_columns_have_no_spread(dtype):
    X = np.full((1200, 9), 0.1, dtype)
    X[:, 4] *= np.arange(1200)
    found = solve(sketched(X), center=True)
    assert_allclose(np.abs(found.components), np.eye(9)[4:5], atol=1e-5)


@pytest.mark.parametrize("n_rows", [1, 2, 511, 512, 513])
@centred_or_not
def test_few_rows_are_kept_as_they_are(n_rows, center):
    X = np.random.default_rng(0).standard_normal((n_rows, 15)) + 2
    found = solve(sketched(X), 15, center=center)
    expected = singular_values(centred(X, center))[: len(found.singular_values)]
    assert_allclose(found.singular_values, expected, rtol=1e-6, atol=1e-12)
    assert len(found.components) == max(min(n_rows - center, 15), 1)


@every_spectrum
def test_merged_sketches_are_within_their_bound(spectrum):
    X = matrix(spectrum, SHAPE, offset=0.3)
    X[700:] += 1
    merged = sketched(X[:700]).merge(sketched(X[700:]))
    found = solve(merged, center=True)
    exact = singular_values(centred(X, center=True))[: len(found.singular_values)]
    off = exact**2 - found.singular_values**2
    assert np.all(off >= -1e-9 * exact[0] ** 2)
    assert np.all(off <= merged.lost[0] + 1e-9 * exact[0] ** 2)
    assert_allclose(merged.energy[0], (centred(X, center=True) ** 2).sum())
