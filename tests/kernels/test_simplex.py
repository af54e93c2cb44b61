"""Maps onto the simplex against their published definitions, which sort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.kernels import simplex

EXAMPLES = settings(max_examples=200, deadline=None, derandomize=True)


def naive_sparsemax(z):
    """Algorithm 1 of Martins and Astudillo (2016)."""
    z_sorted = np.sort(z)[::-1]
    sums = np.cumsum(z_sorted)
    ranks = np.arange(1, len(z) + 1)
    k = ranks[1 + ranks * z_sorted > sums][-1]
    return np.maximum(z - (sums[k - 1] - 1) / k, 0)


def naive_entmax15(z):
    """Algorithm 2 of Peters, Niculae and Martins (2019)."""
    z = z / 2
    z_sorted = np.sort(z)[::-1]
    for k in range(1, len(z) + 1):
        mean = z_sorted[:k].mean()
        spread = ((z_sorted[:k] - mean) ** 2).sum()
        if spread > 1:
            continue
        level = mean - np.sqrt((1 - spread) / k)
        if k == len(z) or level >= z_sorted[k]:
            return np.maximum(z - level, 0) ** 2
    raise AssertionError("no level found")


TWINS = {"sparsemax": naive_sparsemax, "entmax15": naive_entmax15}
KERNELS = {name: getattr(simplex, name) for name in TWINS}


@pytest.fixture(params=TWINS)
def name(request):
    return request.param


def mapped(name, rows, dtype=np.float64, sharpness=1.0):
    """Map rows of scores, as products with rows of norm one."""
    rows = np.array(rows, dtype)
    counts = np.empty(len(rows), np.int32)
    indices, values = np.empty(rows.shape, np.int32), np.empty(rows.shape, dtype)
    norms, offsets = np.ones(len(rows)), np.zeros(rows.shape[1])
    KERNELS[name](rows, norms, offsets, sharpness, counts, indices, values)
    codes = np.zeros(rows.shape, dtype)
    for i, count in enumerate(counts):
        assert np.all(np.diff(indices[i, :count]) > 0)
        assert np.all(values[i, :count] > 0)
        codes[i, indices[i, :count]] = values[i, :count]
    return codes


@st.composite
def vectors(draw):
    """Draw scores with ties, of very different sizes, at any offset."""
    whole = draw(hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(-4, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    noise = draw(st.sampled_from([0, 1e-9, 0.1]))
    scale = draw(st.sampled_from([1e-8, 0.02, 0.3, 1, 50, 1e12, 1e200]))
    return (whole + noise * rng.standard_normal(len(whole))) * scale


@pytest.mark.parametrize("name", TWINS)
@given(z=vectors())
@EXAMPLES
def test_codes_are_those_of_the_definition(name, z):
    assert_allclose(mapped(name, [z])[0], TWINS[name](z - z.max()), atol=1e-12)


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(z=vectors())
@EXAMPLES
def test_codes_are_on_the_simplex_and_in_order(name, dtype, z):
    z = np.clip(z, -1e30, 1e30).astype(dtype)
    code = mapped(name, [z], dtype)[0]
    assert np.all(code >= 0)
    assert abs(code.sum(dtype=np.float64) - 1) <= 4 * np.finfo(dtype).eps
    assert np.all(np.diff(code[np.argsort(z, kind="stable")]) >= 0)
    assert len(np.unique(code[z == z.max()])) == 1


@pytest.mark.parametrize("offset", [-1e6, 3.0, 2.0**40])
def test_a_constant_changes_nothing(name, offset):
    z = np.random.default_rng(0).integers(-9, 9, (20, 8)) / 8
    assert_array_equal(mapped(name, z + offset), mapped(name, z))


def test_one_entry_is_one(name):
    assert_array_equal(mapped(name, [[-1e300], [0.0], [1e300]]), np.ones((3, 1)))


@pytest.mark.parametrize("n", [2, 3, 7, 1000])
def test_equal_entries_share_evenly(name, n):
    assert_allclose(mapped(name, np.full((1, n), 5.0)), np.full((1, n), 1 / n))


def test_a_far_winner_takes_all(name):
    z = [[-1e300, 0.0, 7.0, -1e300], [1e300, -1e300, -1e300, 0.0]]
    assert_array_equal(mapped(name, z), [[0, 0, 1, 0], [1, 0, 0, 0]])


def test_sharp_scores_that_overflow_are_left_out(name):
    z = [[1e300, -1e300, 0.0]]
    assert_array_equal(mapped(name, z, sharpness=1e300), [[1, 0, 0]])


def test_codes_are_exact_where_an_entry_is_about_to_join(name):
    limit = {"sparsemax": -1.0, "entmax15": -2.0}[name]
    assert_array_equal(mapped(name, [[0.0, limit]]), [[1, 0]])
    code = mapped(name, [[0.0, limit * (1 - 1e-9)]])[0]
    assert 0 < code[1] < 1e-8


def test_long_vectors_are_mapped_as_defined(name):
    z = np.random.default_rng(0).standard_normal((5, 3000)) * [
        [0.01],
        [0.1],
        [1],
        [3],
        [9],
    ]
    assert_allclose(mapped(name, z), [TWINS[name](row) for row in z], atol=1e-13)


def test_nearest_takes_the_first_of_equal_scores():
    counts, indices = np.empty(2, np.int32), np.empty((2, 1), np.int32)
    products, codes = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]]), np.empty((2, 1))
    simplex.nearest(products, np.ones(2), np.zeros(3), counts, indices, codes)
    assert_array_equal(indices, [[1], [0]])
    assert_array_equal(codes, 1)
