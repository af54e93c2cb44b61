"""Rows that come in pieces, and fits that are merged."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksparse_nn import for_prediction
from sksparse_nn.decomposition._truncated_svd_reducer import TruncatedSVDReducer
from sksparse_nn.solvers.svd import decompose
from tests.decomposition.reducer_fits import SETTINGS, assert_same_fit


@pytest.mark.parametrize("size", [1, 7, 80])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_a_stream_is_fitted_as_one(X, reducer, size, kind):
    for start in range(0, len(X), size):
        reducer.partial_fit(kind(X[start : start + size]))
    assert_same_fit(reducer, clone(reducer).set_params(solver="gram").fit(X))


def test_rows_can_be_added_to_any_small_fit(X):
    for solver in ("exact", "gram", "krylov"):
        reducer = TruncatedSVDReducer(3, solver=solver, random_state=0)
        streamed = reducer.fit(X[:30]).partial_fit(X[30:])
        assert_same_fit(streamed, TruncatedSVDReducer(3).fit(X))
        assert streamed.solver_ == "gram"


def test_merged_fits_are_one_fit(X, reducer):
    parts = [clone(reducer).partial_fit(part) for part in np.split(X, 4)]
    left, right = parts[0].merge(parts[1]), parts[2].merge(parts[3])
    assert_same_fit(left.merge(right), reducer.fit(X))


def test_merging_leaves_the_other_as_it_was(X):
    one, other = (TruncatedSVDReducer(3).fit(part) for part in np.split(X, 2))
    before = other.transform(X)
    one.merge(other)
    assert_array_equal(other.transform(X), before)
    assert other.n_samples_seen_ == 40


def test_nothing_is_decomposed_before_it_is_asked_for(X, monkeypatch):
    calls = []
    module = "sksparse_nn.decomposition._truncated_svd_reducer.decompose"
    monkeypatch.setattr(module, lambda *a: calls.append(a) or decompose(*a))
    reducer = TruncatedSVDReducer(3)
    for row in X:
        reducer.partial_fit(row[None])
    assert not calls
    reducer.transform(X), reducer.inverse_transform(reducer.transform(X))
    assert len(calls) == 1
    reducer.partial_fit(X).components_, reducer.singular_values_
    assert len(calls) == 2


def test_a_stream_that_nobody_asked_yet_can_be_copied(X):
    streamed = TruncatedSVDReducer(3).partial_fit(X)
    copies = pickle.loads(pickle.dumps(streamed)), copy.deepcopy(streamed)
    for other in copies:
        assert_same_fit(other, streamed)
        assert_same_fit(other.partial_fit(X), clone(streamed).fit(np.vstack([X, X])))


@pytest.fixture
def decompositions(monkeypatch):
    calls = []
    module = "sksparse_nn.decomposition._truncated_svd_reducer.decompose"
    monkeypatch.setattr(module, lambda *a: calls.append(a) or decompose(*a))
    return calls


@pytest.mark.parametrize("most", [5000, 8])
@pytest.mark.parametrize("settings", [{}, {"groups": 3, "center": True}])
def test_the_noise_of_a_stream_is_known_without_its_decomposition(
    X, most, settings, decompositions, monkeypatch
):
    monkeypatch.setattr("sksparse_nn.solvers.svd._stream.MAX_WIDTH", most)
    reducer = TruncatedSVDReducer(2, **settings).partial_fit(X)
    assert hasattr(reducer, "noise_")
    early = reducer.noise_, reducer.solver_
    assert not decompositions
    reducer.components_  # noqa: B018
    assert_array_equal(reducer.noise_, early[0])
    assert reducer.solver_ == early[1]


def test_copies_of_a_stream_are_decomposed_once(X, reducer, decompositions):
    streamed = reducer.partial_fit(X)
    stored = pickle.dumps(streamed)
    copies = [pickle.loads(stored) for _ in range(3)]
    copies += [copy.deepcopy(streamed), for_prediction(streamed)]
    for other in copies:
        assert_array_equal(other.transform(X), streamed.transform(X))
    assert len(decompositions) == 1


def test_deferred_attributes_are_those_of_the_class(X):
    fitted = {name for name in vars(TruncatedSVDReducer(2).fit(X)) if name[-1] == "_"}
    of_class = {n for n in vars(TruncatedSVDReducer) if n[-1] == "_" and n[0] != "_"}
    assert fitted - of_class == {"groups_", "n_samples_seen_", "n_features_in_"}
    assert of_class < fitted
    assert not hasattr(TruncatedSVDReducer, "__getattr__")


def test_what_is_not_there_is_said_plainly(X):
    for reducer in (TruncatedSVDReducer(), TruncatedSVDReducer().fit(X)):
        assert not hasattr(reducer, "coef_")
    with pytest.raises(AttributeError, match="no attribute 'components_'"):
        TruncatedSVDReducer().components_  # noqa: B018


# Streams too wide for products of features


@pytest.fixture
def few_products(monkeypatch):
    monkeypatch.setattr("sksparse_nn.solvers.svd._stream.MAX_WIDTH", 8)


@pytest.mark.parametrize("size", [1, 7, 80])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("name", ["plain", "centred", "whitened"])
@pytest.mark.usefixtures("few_products")
def test_a_wide_stream_is_fitted_within_its_bounds(X, name, size, kind):
    reducer = TruncatedSVDReducer(**{"n_components": 3, **SETTINGS[name]})
    for start in range(0, len(X), size):
        reducer.partial_fit(kind(X[start : start + size]))
    assert reducer.solver_ == "sketch"
    whole = clone(reducer).fit(X)
    # The decomposition that it is compared with is rounded too.
    fits = reducer, whole
    bound = sum(fit.residuals_ * fit.singular_values_**2 for fit in fits)
    off = whole.singular_values_**2 - reducer.singular_values_**2
    assert np.all(np.abs(off) <= bound)
    # Sixteen features, and as many rows are kept: nothing is lost.
    assert_same_fit(reducer, whole)
    assert_allclose(reducer.transform(X), whole.transform(X), atol=1e-6)


@pytest.mark.usefixtures("few_products")
def test_wide_streams_merge(X):
    parts = [TruncatedSVDReducer(3).partial_fit(part) for part in np.split(X, 4)]
    merged = parts[0].merge(parts[1]).merge(parts[2].merge(parts[3]))
    assert_same_fit(merged, TruncatedSVDReducer(3).fit(X))


@pytest.mark.parametrize("n_components", [0.9, "auto"])
@pytest.mark.usefixtures("few_products")
def test_a_wide_stream_keeps_a_number_of_directions(X, n_components):
    reducer = TruncatedSVDReducer(n_components)
    with pytest.raises(ValueError, match="n_components must be an int"):
        reducer.partial_fit(X)
    assert not hasattr(reducer, "n_features_in_")


def test_a_stream_of_both_types_is_as_coarse_as_the_coarser(X):
    reducer = TruncatedSVDReducer(3).partial_fit(X.astype(np.float32)).partial_fit(X)
    assert reducer.components_.dtype == np.float32
    assert reducer.transform(X).dtype == np.float64


def test_early_rows_of_a_stream_raise_no_warning(X):
    assert TruncatedSVDReducer(5).partial_fit(X[:2]).n_components_ == 2


def test_other_groups_are_not_merged(X):
    one, other = (TruncatedSVDReducer(2, groups=g).fit(X) for g in (4, 8))
    with pytest.raises(ValueError, match="same features in the same groups"):
        one.merge(other)


def test_merge_needs_two_fits(X):
    with pytest.raises(NotFittedError):
        TruncatedSVDReducer(2).fit(X).merge(TruncatedSVDReducer(2))


def test_rows_are_not_added_where_nothing_was_kept():
    X = sparse.random_array((30, 6000), density=0.01, rng=np.random.default_rng(0))
    reducer = TruncatedSVDReducer(2, random_state=0).fit(X)
    assert reducer.solver_ == "exact"
    with pytest.raises(ValueError, match="on data too large to keep them"):
        reducer.partial_fit(X)
    with pytest.raises(ValueError, match="on data too large to keep them"):
        reducer.merge(reducer)


def test_samples_are_not_added_to_a_copy_for_prediction(X):
    small = for_prediction(TruncatedSVDReducer(2).fit(X))
    for learn in (
        small.partial_fit,
        lambda X: TruncatedSVDReducer(2).fit(X).merge(small),
    ):
        with pytest.raises(ValueError, match="a copy for prediction"):
            learn(X)


def test_a_chunk_of_another_width_is_refused(X):
    reducer = TruncatedSVDReducer(2).partial_fit(X)
    with pytest.raises(ValueError, match="expecting 16 features"):
        reducer.partial_fit(X[:, :5])


# Weights


def test_weights_of_a_stream_count_as_repetitions(X, reducer):
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    for part, w in zip(np.split(X, 2), np.split(weight, 2), strict=True):
        reducer.partial_fit(part, sample_weight=w)
    repeated = clone(reducer).fit(X.repeat(weight, axis=0))
    assert reducer.n_samples_seen_ == (weight > 0).sum()
    assert_allclose(reducer.transform(X), repeated.transform(X), rtol=1e-7, atol=1e-9)


def test_a_row_without_weight_is_as_if_absent(X):
    weight = np.ones(len(X))
    weight[::3] = 0
    X[::3] = 1e9
    one = TruncatedSVDReducer(3).fit(X, sample_weight=weight)
    assert_array_equal(one.singular_values_, _of(X[weight > 0]).singular_values_)


def _of(X):
    return TruncatedSVDReducer(3).fit(X, sample_weight=np.ones(len(X)))


def test_negative_weights_are_refused(X):
    with pytest.raises(ValueError, match="Negative values"):
        TruncatedSVDReducer(3).fit(X, sample_weight=-np.ones(len(X)))


# More than the data hold
