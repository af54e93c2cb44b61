"""Laws that every solver obeys, on every spectrum, against LAPACK."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn.solvers.svd import (
    SOLVERS,
    WeightedRows,
    decompose,
    partition_features,
    rank_rule,
)
from tests.solvers.svd.spectra import (
    SHAPES,
    SPECTRA,
    centred,
    matrix,
    residuals,
    singular_values,
)

DTYPES = [np.float32, np.float64]

every_solver = pytest.mark.parametrize("name", SOLVERS)
every_spectrum = pytest.mark.parametrize("spectrum", SPECTRA)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
centred_or_not = pytest.mark.parametrize("center", [False, True])


def solve(name, X, rank=8, *, groups=None, weight=None, **parameters):
    rows = WeightedRows(X, weight, partition_features(groups, X.shape[1]))
    solver = SOLVERS.make(name, {"random_state": 0, **parameters})
    state = solver.prepare(rows)
    return decompose(solver, state, rows.partition, rank_rule(rank))


def rounding(found, dtype):
    """Bound a relative error by the type, squared as products of features square."""
    values = found.singular_values
    return 100 * np.finfo(dtype).eps * (values[0] / values[-1]) ** 2


@every_solver
@every_spectrum
@every_shape
@every_dtype
@centred_or_not
def test_singular_values_are_those_of_lapack(name, spectrum, shape, dtype, center):
    X = matrix(spectrum, shape, dtype)
    found = solve(name, X, center=center)
    expected = singular_values(centred(X, center))[: len(found.singular_values)]
    rtol = 1e-5 + rounding(found, dtype)
    assert_allclose(found.singular_values, expected, rtol=rtol)


@every_solver
@every_spectrum
@every_shape
def test_captured_energy_is_the_best_there_is(name, spectrum, shape):
    X = matrix(spectrum, shape)
    found = solve(name, X)
    captured = ((X @ found.components.T) ** 2).sum()
    best = (singular_values(X)[:8] ** 2).sum()
    assert captured >= (1 - 1e-5) * best


@every_solver
@every_spectrum
@every_dtype
@centred_or_not
def test_a_large_offset_costs_no_digits(name, spectrum, dtype, center):
    X = matrix(spectrum, (400, 40), dtype, offset=1e4)
    found = solve(name, X, 4, center=center)
    expected = singular_values(centred(X, center))[: len(found.singular_values)]
    assert_allclose(found.singular_values, expected, rtol=1e-3)


@every_solver
@every_spectrum
@every_shape
@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e9, 1e30])
def test_scale_changes_nothing_but_the_singular_values(name, spectrum, shape, scale):
    plain = solve(name, matrix(spectrum, shape, np.float32))
    scaled = solve(name, matrix(spectrum, shape, np.float32, scale=scale))
    rtol = 1e-5 + rounding(plain, np.float32)
    assert_allclose(scaled.singular_values / scale, plain.singular_values, rtol=rtol)
    assert_allclose(scaled.energy / scale / scale, plain.energy, rtol=1e-5)


@every_solver
@every_spectrum
@every_shape
@every_dtype
@centred_or_not
def test_components_are_orthonormal(name, spectrum, shape, dtype, center):
    found = solve(name, matrix(spectrum, shape, dtype), center=center)
    products = found.components @ found.components.T
    atol = 100 * np.finfo(dtype).eps
    assert_allclose(products, np.eye(len(products)), atol=atol)


@every_solver
@every_spectrum
@every_shape
@every_dtype
@centred_or_not
def test_residuals_are_true(name, spectrum, shape, dtype, center):
    X = matrix(spectrum, shape, dtype)
    found = solve(name, X, center=center)
    # Components are stored in the type of the data.
    V = found.components.astype(dtype)
    true = residuals(centred(X, center), found.singular_values, V)
    share = (found.singular_values[0] / found.singular_values) ** 2
    slack = 4 * np.finfo(dtype).eps * share
    assert np.all(true <= 1.5 * found.residuals + slack)
    if name != "gram":
        assert np.all(found.residuals <= 1.5 * true + slack)


@every_solver
@every_dtype
@pytest.mark.parametrize("value", [0.7, 1.1])
def test_residuals_are_true_of_columns_of_two_values(name, dtype, value):
    is_large = np.random.default_rng(0).random((30_000, 12)) < 0.5
    X = np.where(is_large, value, -0.3).astype(dtype)
    X[:, 1:] *= dtype(0.01)
    found = solve(name, X, 1)
    # Sums of many equal numbers in float64 would be as wrong as what they measure.
    exactly = X.astype(np.longdouble)
    true = residuals(exactly, found.singular_values, found.components)
    assert np.all(true <= 1.5 * found.residuals + 4 * np.finfo(dtype).eps)


@every_solver
@every_shape
@every_dtype
@centred_or_not
def test_rank_is_found_exactly(name, shape, dtype, center):
    X = matrix("deficient", shape, dtype)
    assert len(solve(name, X, 12, center=center).components) == 6


@every_solver
@centred_or_not
@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1), (2, 3)])
def test_tiny_data_have_right_answers(name, center, shape):
    X = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    found = solve(name, X, center=center)
    expected = singular_values(centred(X, center))[: len(found.components)]
    assert_allclose(found.singular_values, expected, atol=1e-12)
    assert len(found.components) >= 1


@every_solver
@every_dtype
@centred_or_not
@pytest.mark.parametrize("groups", [None, 3])
def test_zeros_give_one_component_without_energy(name, dtype, center, groups):
    found = solve(name, np.zeros((20, 7), dtype), groups=groups, center=center)
    assert_array_equal(found.components, np.eye(7)[:1])
    assert_array_equal(found.singular_values, [0])
    assert found.energy == 0


@every_solver
@every_dtype
@pytest.mark.parametrize("constant", [0.1, 1e-10, 1e10])
def test_constant_columns_have_no_spread(name, dtype, constant):
    X = np.full((200, 9), constant, dtype)
    X[:, 4] *= np.arange(200)
    found = solve(name, X, center=True)
    assert_allclose(np.abs(found.components), np.eye(9)[4:5], atol=1e-5)


@every_solver
@every_dtype
def test_duplicate_columns_and_rows_add_no_direction(name, dtype):
    X = matrix("slow", (50, 4), dtype)
    X = np.vstack([np.hstack([X, X])] * 3)
    assert len(solve(name, X).components) == 4


@every_solver
@every_shape
@every_dtype
@centred_or_not
def test_weights_count_as_repetitions(name, shape, dtype, center):
    X = matrix("slow", shape, dtype)
    weight = np.random.default_rng(1).integers(1, 4, len(X))
    one = solve(name, X, 3, weight=weight.astype(float), center=center)
    other = solve(name, X.repeat(weight, axis=0), 3, center=center)
    rtol = 1e-6 + 100 * np.finfo(dtype).eps
    assert_allclose(one.singular_values, other.singular_values, rtol=rtol)
    assert_allclose(one.mean, other.mean, atol=1e-6)
    assert one.weight == other.weight


@every_solver
@every_shape
@every_dtype
@centred_or_not
@pytest.mark.parametrize("density", [0.05, 0.5])
def test_sparse_is_decomposed_as_dense(name, shape, dtype, center, density):
    X = matrix("slow", shape, dtype)
    X[np.random.default_rng(1).random(shape) > density] = 0
    weight = np.linspace(0.5, 2, len(X))
    dense, csr = (
        solve(name, data, 5, weight=weight, center=center)
        for data in (X, sparse.csr_array(X))
    )
    assert_allclose(csr.singular_values, dense.singular_values, rtol=1e-5)
    assert_allclose(csr.mean, dense.mean, atol=1e-6)
    assert_allclose(csr.energy, dense.energy, rtol=1e-5)


@every_solver
@every_dtype
@centred_or_not
@pytest.mark.parametrize("groups", [7, [0, 1, 2, 1, 0] * 6])
def test_each_group_is_decomposed_by_itself(name, dtype, center, groups):
    X = matrix("slow", (90, 30), dtype)
    partition = partition_features(groups, 30)
    found = solve(name, X, 2, groups=groups, center=center)
    for group in range(len(partition.widths)):
        is_own = partition.labels == group
        rows = found.component_groups == group
        expected = singular_values(centred(X[:, is_own], center))[: rows.sum()]
        assert_allclose(found.singular_values[rows], expected, rtol=1e-5)
        assert not found.components[rows][:, ~is_own].any()


@every_solver
@pytest.mark.parametrize("groups", [None, 10])
def test_a_share_is_met_by_the_fewest_components(name, groups):
    X = matrix("slow", (90, 40))
    parts = [X] if groups is None else np.split(X, 4, axis=1)
    energies = np.sort(np.concatenate([singular_values(p) ** 2 for p in parts]))[::-1]
    expected = np.searchsorted(np.cumsum(energies), 0.9 * energies.sum()) + 1
    found = solve(name, X, 0.9, groups=groups, tol=1e-6)
    assert len(found.components) == expected


@pytest.mark.parametrize("name", ["gram", "exact"])
def test_auto_rank_finds_signals_in_noise(name):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 4)) @ rng.standard_normal((4, 80))
    X += 0.5 * rng.standard_normal(X.shape)
    assert len(solve(name, X, "auto").components) == 4


def test_auto_rank_needs_all_singular_values():
    with pytest.raises(ValueError, match="does not find"):
        solve("krylov", np.eye(5), "auto")


def test_krylov_says_that_passes_ran_out():
    X = matrix("slow", (400, 200))
    with pytest.warns(ConvergenceWarning, match="max_passes=1 passes"):
        found = solve("krylov", X, max_passes=1)
    assert found.n_passes == 2


def test_krylov_stops_by_the_residual():
    X = matrix("slow", (400, 200))
    loose, tight = (solve("krylov", X, tol=tol, max_passes=30) for tol in (0.1, 1e-6))
    assert loose.n_passes < tight.n_passes
    assert tight.residuals.max() < 1e-6


def test_the_same_seed_gives_the_same_bits():
    X = matrix("flat", (200, 100))
    one, two = (solve("krylov", X, max_passes=30) for _ in range(2))
    assert_array_equal(one.components, two.components)


@every_solver
@centred_or_not
def test_threads_do_not_change_a_bit(name, center):
    X = np.random.default_rng(0).standard_normal((40_000, 33)).astype(np.float32)
    one, two = (
        solve(name, X, 4, n_jobs=n, center=center, max_passes=50) for n in (1, 2)
    )
    assert_array_equal(one.components, two.components)
    assert_array_equal(one.singular_values, two.singular_values)


def test_wide_products_are_refused():
    with pytest.raises(ValueError, match=r"at most 5000 features\. Got 6000"):
        solve("gram", np.ones((2, 6000)))


def test_a_wide_group_is_iterated_to_what_lapack_finds():
    X = matrix("slow", (700, 650))
    assert_allclose(
        solve("gram", X, 5).singular_values, singular_values(X)[:5], rtol=1e-10
    )


def test_a_flat_wide_group_falls_back_on_lapack():
    X = np.random.default_rng(0).standard_normal((700, 650))
    assert_allclose(
        solve("gram", X, 5).singular_values, singular_values(X)[:5], rtol=1e-10
    )
