"""What solver="auto" takes, and that nothing is lost by it."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksparse_nn.decomposition._truncated_svd_reducer import TruncatedSVDReducer


def badly_scaled(kind, shape, decades, dtype):
    """Make rows whose directions or columns are of very different lengths."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape) * 10.0 ** -np.linspace(0, decades, shape[1])
    if kind == "directions":
        X = X @ np.linalg.qr(rng.standard_normal((shape[1],) * 2))[0]
    return (X + 3).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3000, 12), (2000, 100)], ids=str)
@pytest.mark.parametrize("kind", ["columns", "directions"])
@pytest.mark.parametrize("decades", [0, 2, 5, 9])
@pytest.mark.parametrize("center", [False, True])
def test_auto_keeps_the_digits_of_bad_scales(dtype, shape, kind, decades, center):
    X = badly_scaled(kind, shape, decades, dtype)
    settings = {"n_components": shape[1], "center": center}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_components=", UserWarning)
        ours = TruncatedSVDReducer(**settings).fit(X)
        exact = TruncatedSVDReducer(**settings, solver="exact").fit(X)
    assert ours.n_components_ == exact.n_components_
    rtol = 1e-5 if dtype == np.float32 else 1e-8
    assert_allclose(ours.singular_values_, exact.singular_values_, rtol=rtol)
    share = (ours.singular_values_[0] / ours.singular_values_) ** 2
    A = X.astype(np.float64) - ours.mean_
    V, values = ours.components_.astype(np.float64).T, ours.singular_values_
    true = np.linalg.norm(A.T @ (A @ V) / values**2 - V, axis=0)
    assert (true <= 1.5 * ours.residuals_ + 4 * np.finfo(dtype).eps * share).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("center", [False, True])
def test_auto_finds_ranks_exactly(dtype, center):
    rng = np.random.default_rng(0)
    for length in (1, 1e-4):
        lengths = np.r_[np.ones(5), length]
        X = (rng.standard_normal((2000, 6)) * lengths) @ rng.standard_normal((6, 90))
        with pytest.warns(UserWarning, match="6 stand above rounding"):
            reducer = TruncatedSVDReducer(9, center=center).fit(X.astype(dtype))
        assert reducer.n_components_ == 6


AUTO = {
    "proven": ((2000, 100), 0, np.float32, 5, "gram", 1),
    "not in float32": ((2000, 100), 5, np.float32, 60, "gram", 2),
    "in float64": ((2000, 100), 0, np.float64, 5, "gram", 1),
    "only by LAPACK": ((2000, 100), 9, np.float64, 90, "exact", 2),
    "not in float32, by a few rows": ((8000, 100), 5, np.float32, 60, "gram", 1),
    "only by LAPACK, by a few rows": ((8000, 100), 6, np.float64, 90, "exact", 1),
    "a wide row": ((50, 100), 0, np.float64, 5, "exact", 1),
    "few rows": ((80, 16), 0, np.float64, 5, "exact", 1),
}


@pytest.mark.parametrize("case", AUTO.values(), ids=AUTO)
def test_auto_goes_no_further_than_needed(case):
    shape, decades, dtype, n_components, *expected = case
    X = badly_scaled("directions", shape, decades, dtype) - 3
    reducer = TruncatedSVDReducer(n_components).fit(X)
    assert [reducer.solver_, reducer.n_passes_] == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [2000, 8000])
def test_features_of_very_different_lengths_are_read_once(dtype, n_rows):
    X = badly_scaled("columns", (n_rows, 100), 6, np.float64) - 3
    X = X.astype(dtype)
    reducer = TruncatedSVDReducer(90).fit(X)
    assert [reducer.solver_, reducer.n_passes_] == ["gram", 1]
    exact = TruncatedSVDReducer(90, solver="exact").fit(X)
    rtol = 1e-5 if dtype == np.float32 else 1e-9
    assert_allclose(reducer.singular_values_, exact.singular_values_, rtol=rtol)


def test_a_group_whose_features_are_equal_is_not_left_out():
    X = badly_scaled("columns", (2000, 20), 6, np.float32) - 3
    X[:, 10:] = X[:, :1] * np.arange(1, 11, dtype="f4")
    for n_components in (6, 0.9999):
        settings = {"n_components": n_components, "groups": 10}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "n_components=", UserWarning)
            ours, exact = (
                TruncatedSVDReducer(**settings, solver=solver).fit(X)
                for solver in ("auto", "exact")
            )
        assert_array_equal(ours.component_groups_, exact.component_groups_)
        assert_allclose(ours.singular_values_, exact.singular_values_, rtol=1e-5)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("offset", [0, 1, 100])
def test_rows_added_to_compressed_ones_are_as_if_read_together(center, offset):
    X = badly_scaled("directions", (9000, 30), 7, np.float64) - 3 + offset
    settings = {"n_components": 3, "center": center}
    streamed = TruncatedSVDReducer(**settings, solver="exact").fit(X[:8000])
    streamed.set_params(solver="auto").partial_fit(X[8000:])
    whole = TruncatedSVDReducer(**settings, solver="gram").fit(X)
    assert_allclose(streamed.singular_values_, whole.singular_values_, rtol=1e-9)
    assert_allclose(streamed.mean_, whole.mean_, rtol=1e-9, atol=1e-12)


def test_rows_are_added_to_any_fit_of_auto():
    X = badly_scaled("directions", (2000, 20), 9, np.float64)
    reducer = TruncatedSVDReducer(15).fit(X[:1500])
    assert reducer.solver_ == "exact"
    whole = TruncatedSVDReducer(4, solver="gram").fit(X)
    streamed = reducer.set_params(n_components=4).partial_fit(X[1500:])
    assert_allclose(streamed.singular_values_, whole.singular_values_, rtol=1e-6)
    assert_allclose(streamed.components_, whole.components_, atol=1e-5)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layout_weights_and_threads_change_no_digit_of_auto(center, dtype):
    X = badly_scaled("directions", (2000, 90), 1, dtype)
    plain = TruncatedSVDReducer(4, center=center).fit(X)
    for given in (np.asfortranarray(X), sparse.csr_array(X)):
        found = TruncatedSVDReducer(4, center=center, n_jobs=2).fit(given)
        assert_allclose(found.singular_values_, plain.singular_values_, rtol=1e-6)
    again = TruncatedSVDReducer(4, center=center, n_jobs=2).fit(X)
    assert_array_equal(again.components_, plain.components_)
    weighted = TruncatedSVDReducer(4, center=center).fit(X, None, np.full(2000, 3))
    values = np.sqrt(3) * plain.singular_values_
    assert_allclose(weighted.singular_values_, values, rtol=1e-6)


def test_many_rows_are_decomposed_by_blocks_as_at_once(monkeypatch):
    X = badly_scaled("directions", (700, 20), 12, np.float64)
    fits = []
    for numbers in (2**22, 1000):
        monkeypatch.setattr("sksparse_nn.solvers.svd._exact._BLOCK", numbers)
        fits.append(TruncatedSVDReducer(15, center=True, solver="exact").fit(X))
    for name in ("singular_values_", "mean_", "explained_variance_ratio_", "noise_"):
        assert_allclose(*(getattr(fit, name) for fit in fits), rtol=1e-5)
    longest = (fit.components_[:8] for fit in fits)
    assert_allclose(*longest, atol=1e-5)
