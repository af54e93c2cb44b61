"""What the reducer keeps of rows."""

import pickle
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD

from sksparse_nn.decomposition._truncated_svd_reducer import TruncatedSVDReducer
from tests.decomposition.reducer_fits import SETTINGS

# Peers


def precise(solver):
    """Return settings of a solver that lose no digit."""
    return {"solver": solver} | ({"tol": 1e-9} if solver in ("auto", "krylov") else {})


def test_centred_it_is_pca(digits):
    ours = TruncatedSVDReducer(8, center=True).fit(digits)
    peer = PCA(8, svd_solver="full").fit(digits.astype(np.float64))
    assert_allclose(ours.singular_values_, peer.singular_values_, rtol=1e-6)
    assert_allclose(ours.explained_variance_ratio_, peer.explained_variance_ratio_)
    assert_allclose(np.abs(ours.components_), np.abs(peer.components_), atol=1e-5)


def test_uncentred_it_is_the_svd_of_scikit_learn(digits):
    ours = TruncatedSVDReducer(8).fit(digits)
    peer = TruncatedSVD(8, algorithm="arpack").fit(digits.astype(np.float64))
    assert_allclose(ours.singular_values_, peer.singular_values_, rtol=1e-6)


@pytest.mark.parametrize("solver", ["auto", "exact", "gram", "krylov"])
def test_variances_about_the_mean_are_those_of_pca(digits, solver):
    X = digits[:200].astype(np.float64)
    settings = {"whiten": True, "random_state": 0} | precise(solver)
    ours = TruncatedSVDReducer(5, center=True, **settings).fit(X)
    peer = PCA(5, svd_solver="full", whiten=True).fit(X)
    assert_allclose(ours.explained_variance_, peer.explained_variance_, rtol=1e-9)
    Z, expected = ours.transform(X), peer.transform(X)
    assert_allclose(np.abs(Z), np.abs(expected), atol=1e-6)
    assert_allclose(Z.var(axis=0, ddof=1), 1)
    restored = ours.inverse_transform(Z), peer.inverse_transform(expected)
    assert_allclose(*restored, atol=1e-9)


def test_variances_count_weights_as_repetitions(X):
    weight = np.random.default_rng(1).integers(1, 4, len(X))
    one = TruncatedSVDReducer(3, center=True).fit(X, sample_weight=weight)
    other = TruncatedSVDReducer(3, center=True).fit(X.repeat(weight, axis=0))
    assert_allclose(one.explained_variance_, other.explained_variance_)


def test_weights_that_are_no_repetitions_give_finite_variances(X):
    reducer = TruncatedSVDReducer(3, center=True, whiten=True)
    for total in (0.5, 1.0):
        weight = np.full(len(X), total / len(X))
        variances = reducer.fit(X, sample_weight=weight).explained_variance_
        assert_allclose(variances, reducer.singular_values_**2 / total)


# What comes back


@pytest.mark.parametrize("name", SETTINGS)
def test_all_directions_give_the_rows_back(X, name):
    reducer = TruncatedSVDReducer(**SETTINGS[name]).set_params(n_components=16)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_components=16", UserWarning)
        Z = reducer.fit_transform(X)
    assert_allclose(reducer.inverse_transform(Z), X, atol=1e-9)


def test_what_is_left_out_is_the_energy_not_kept(X, reducer):
    Z = reducer.fit_transform(X)
    kept = reducer.explained_variance_ratio_.sum()
    lost = ((X - reducer.inverse_transform(Z)) ** 2).sum()
    total = ((X - reducer.mean_) ** 2).sum()
    assert_allclose(lost, (1 - kept) * total, rtol=1e-9)


def test_whitened_outputs_have_mean_square_one(X):
    for groups in (None, 4):
        Z = TruncatedSVDReducer(3, groups=groups, whiten=True).fit_transform(X)
        assert_allclose((Z**2).mean(axis=0), 1)


def test_whitening_does_not_blow_up_what_is_not_there(X):
    X[:, 8:] = X[:, :8]
    with pytest.warns(UserWarning, match="8 stand above rounding"):
        Z = TruncatedSVDReducer(12, center=True, whiten=True).fit_transform(X)
    assert Z.shape[1] == 8
    assert np.abs(Z).max() < 10


def test_outputs_stand_group_after_group(X):
    reducer = TruncatedSVDReducer(2, groups=6).fit(X)
    assert_array_equal(reducer.component_groups_, [0, 0, 1, 1, 2, 2])
    alone = TruncatedSVDReducer(2).fit(X[:, 6:12])
    assert_allclose(reducer.transform(X)[:, 2:4], alone.transform(X[:, 6:12]))


def test_feature_names_are_numbered(X):
    names = TruncatedSVDReducer(2, groups=8).fit(X).get_feature_names_out()
    assert_array_equal(names, [f"truncatedsvdreducer{i}" for i in range(4)])


def test_a_share_of_all_groups_is_kept(X):
    reducer = TruncatedSVDReducer(0.8, groups=4).fit(X)
    kept = reducer.explained_variance_ratio_
    assert kept.sum() >= 0.8
    assert kept.sum() - kept.min() < 0.8


# Streams


def test_too_many_components_are_clipped_with_one_warning(X):
    with pytest.warns(UserWarning, match="n_components=20") as caught:
        reducer = TruncatedSVDReducer(20).fit(X)
    assert len(caught) == 1
    assert reducer.n_components_ == 16


def test_many_short_groups_are_one_warning(digits):
    with pytest.warns(UserWarning, match="in each of 8 groups") as caught:
        reducer = TruncatedSVDReducer(8, groups=8).fit(digits)
    assert len(caught) == 1
    assert reducer.n_components_ == 61


def test_zeros_have_finite_shares():
    with pytest.warns(UserWarning, match="0 stand above rounding"):
        reducer = TruncatedSVDReducer(2, whiten=True).fit(np.zeros((9, 4)))
    assert_array_equal(reducer.explained_variance_ratio_, [0])
    assert_array_equal(reducer.transform(np.zeros((2, 4))), np.zeros((2, 1)))


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e9, 1e30])
def test_scale_changes_neither_shares_nor_rank(X, reducer, scale):
    X = X.astype(np.float32)
    plain, scaled = (clone(reducer).fit(Y) for Y in (X, np.float32(scale) * X))
    ratios = (r.explained_variance_ratio_ for r in (plain, scaled))
    assert_allclose(*ratios, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-130, 1e130])
@pytest.mark.parametrize("solver", ["gram", "krylov", "exact"])
def test_any_scale_whose_squares_are_numbers_will_do(X, solver, scale):
    plain, scaled = (
        TruncatedSVDReducer(3, **precise(solver), random_state=0).fit(Y)
        for Y in (X, scale * X)
    )
    assert_allclose(scaled.singular_values_ / scale, plain.singular_values_)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_a_scale_whose_squares_are_none_is_refused(X, scale):
    for fit in (TruncatedSVDReducer(3).fit, TruncatedSVDReducer(3).partial_fit):
        with pytest.raises(ValueError, match="scale X"):
            fit(scale * X)


@pytest.mark.parametrize("size", [80, 7])
@pytest.mark.parametrize("solver", ["gram", "krylov", "exact"])
def test_about_the_mean_an_offset_of_one_column_costs_nothing(X, solver, size):
    Y = X.copy()
    Y[:, 3] += 1e9
    reducer = TruncatedSVDReducer(3, center=True, **precise(solver))
    if size == len(X):
        reducer.fit(Y)
    else:
        for start in range(0, len(X), size):
            reducer.partial_fit(Y[start : start + size])
    plain = TruncatedSVDReducer(3, center=True).fit(X)
    assert_allclose(reducer.singular_values_, plain.singular_values_, rtol=1e-6)


def test_shares_lie_between_zero_and_one(X, reducer):
    ratio = reducer.fit(X).explained_variance_ratio_
    assert np.all(ratio > 0)
    assert ratio.sum() <= 1


def test_the_order_of_rows_changes_no_sign(X, reducer):
    shuffled = np.random.default_rng(0).permutation(X)
    one, other = (clone(reducer).fit(rows) for rows in (X, shuffled))
    assert_allclose(one.components_, other.components_, atol=1e-9)


# Errors


BAD_FITS = {
    "not a number": ({}, np.array([[1.0, np.nan], [1, 2]])),
    "infinite": ({}, np.array([[1.0, np.inf], [1, 2]])),
    "labels for other data": ({"groups": [0, 1, 2]}, np.ones((3, 2))),
    "too wide for products": ({"solver": "gram"}, np.ones((2, 6000))),
    "all values by krylov": (
        {"solver": "krylov", "n_components": "auto"},
        np.eye(4),
    ),
}


@pytest.mark.parametrize(("parameters", "bad"), BAD_FITS.values(), ids=BAD_FITS)
def test_a_fit_that_fails_leaves_the_reducer_as_it_was(X, parameters, bad):
    reducer = TruncatedSVDReducer(2).fit(X).set_params(**parameters)
    before = dict(vars(reducer))
    with pytest.raises(ValueError, match=r"\w"):
        reducer.fit(bad)
    assert vars(reducer) == before


def test_coordinates_of_another_width_are_refused(X):
    reducer = TruncatedSVDReducer(2).fit(X)
    with pytest.raises(ValueError, match=r"each of the 2 components\. Got 3"):
        reducer.inverse_transform(np.ones((4, 3)))


@pytest.mark.parametrize("n_components", [0, 1.0, -0.5, "all", None])
def test_other_numbers_of_components_are_refused(X, n_components):
    with pytest.raises(ValueError, match="n_components"):
        TruncatedSVDReducer(n_components).fit(X)


def test_fitted_attributes_are_plain(X, reducer):
    reducer.fit(X)
    fitted = {k: v for k, v in vars(reducer).items() if k.endswith("_")}
    for value in [*fitted.values(), *reducer._state.values()]:
        assert isinstance(value, (np.ndarray, int, float, str))


def test_components_of_groups_take_little_room_on_disk():
    X = np.random.default_rng(0).standard_normal((500, 320)).astype(np.float32)
    reducer = TruncatedSVDReducer(4, groups=16).fit(X)
    vars(reducer).pop("_state")
    twin = pickle.loads(pickle.dumps(reducer))
    assert_array_equal(twin.components_, reducer.components_)
    assert_array_equal(twin.transform(X), reducer.transform(X))
    assert len(pickle.dumps(reducer)) < 0.25 * reducer.components_.nbytes


def test_fit_transform_takes_weights(reducer, X):
    weight = np.arange(len(X)) % 3
    once = clone(reducer).fit_transform(X, sample_weight=weight)
    assert_array_equal(once, reducer.fit(X, sample_weight=weight).transform(X))
    assert len(once) == len(X)


def test_a_fit_transform_that_raises_loses_nothing(reducer, X):
    before = reducer.fit(X).transform(X)
    with pytest.raises(ValueError, match="contains NaN"):
        reducer.fit_transform(np.full((5, 3), np.nan))
    assert_array_equal(reducer.transform(X), before)


def test_the_default_keeps_99_percent_of_the_energy():
    X = load_digits().data
    reducer = TruncatedSVDReducer().fit(X)
    kept = np.cumsum(reducer.explained_variance_ratio_)
    assert kept[-2] < 0.99 <= kept[-1]


def test_a_share_of_a_flat_spectrum_stops_and_says_what_it_holds():
    X = np.random.default_rng(0).standard_normal((300, 400))
    reducer = TruncatedSVDReducer(solver="krylov", tol=0.1, random_state=0)
    with pytest.warns(UserWarning, match="n_components=0.99 of the energy") as caught:
        reducer.fit(X)
    [warning] = caught
    text = str(warning.message)
    n_lacking = int(re.search(r"at least (\d+) more", text)[1])
    share = reducer.explained_variance_ratio_.sum()
    assert "n_components_ is 128" in text
    assert f"with {share:.3g} of the energy" in text
    exact = TruncatedSVDReducer(solver="exact").fit(X)
    assert 0 < n_lacking <= exact.n_components_ - 128


def test_a_share_of_wide_features_takes_one_decomposition_of_all():
    X = np.random.default_rng(0).standard_normal((700, 600)).astype(np.float32)
    by_gram, exact = (
        TruncatedSVDReducer(0.9, solver=solver).fit(X) for solver in ("gram", "exact")
    )
    assert by_gram.n_components_ == exact.n_components_


def test_zeros_leave_one_output_of_the_default():
    assert TruncatedSVDReducer().fit_transform(np.zeros((5, 3))).shape == (5, 1)
