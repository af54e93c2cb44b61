"""Laws of all transformers whose samples may come in pieces, and whose fits merge."""

import numbers
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from sksparse_nn import SparseDictionaryCoder, TruncatedSVDReducer
from tests.decomposition.reducers import REDUCERS
from tests.estimators import AUTOENCODERS, TRANSFORMERS, name_of

REDUCED = [e for e in REDUCERS if e.n_jobs is None]
# Reducers to a fixed number of components keep a sketch where rows are wide.
SKETCHED = [e for e in REDUCED if isinstance(e.n_components, int)]
OTHERS = [
    e
    for e in [*TRANSFORMERS, *AUTOENCODERS]
    if hasattr(e, "partial_fit") and e not in REDUCERS
]
SHORT_BATCHES = SparseDictionaryCoder(6, batch_size=25)

STREAMS = {
    **{name_of(e): (e, 5000) for e in [*REDUCED, *OTHERS, SHORT_BATCHES]},
    **{f"sketch of {name_of(e)}": (e, 1) for e in SKETCHED},
}


def learns(estimator):
    return getattr(estimator, "learner", "any") is not None


MERGED = {
    name: case
    for name, case in STREAMS.items()
    if hasattr(case[0], "merge") and learns(case[0])
}
# A mini-batch has a number of rows, whatever their weight. Patches are drawn.
WEIGHTED = {
    name: case
    for name, case in MERGED.items()
    if getattr(case[0], "batch_size", 512) == 512
    and not hasattr(case[0], "image_shape")
}
# What adds up exactly, whatever the order of the samples.
EXACT = {name_of(e): (e, 5000) for e in REDUCED}

pytestmark = pytest.mark.filterwarnings("ignore:n_components=:UserWarning")


@pytest.fixture
def template(request, monkeypatch):
    estimator, max_width = request.param
    monkeypatch.setattr("sksparse_nn.solvers.svd._stream.MAX_WIDTH", max_width)
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator


def of_all(cases):
    return pytest.mark.parametrize("template", cases.values(), ids=cases, indirect=True)


@pytest.fixture(name="X")
def rows_near_a_plane():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 3)) @ rng.standard_normal((3, 8)) + 1
    return X + 0.1 * rng.standard_normal(X.shape)


def streamed(template, *pieces):
    transformer = clone(template)
    for piece in pieces:
        transformer.partial_fit(piece)
    return transformer


def restored(thing):
    return pickle.loads(pickle.dumps(thing))


def assert_same(one, other):
    """Compare what two transformers know to the bit."""
    assert one._state.keys() == other._state.keys()
    for name, value in one._state.items():
        assert_array_equal(value, other._state[name], strict=True)


def dense(codes):
    return codes.toarray() if hasattr(codes, "toarray") else codes


@of_all(STREAMS)
def test_a_pickled_stream_goes_on_to_the_bit(template, X):
    one = streamed(template, X[:40])
    other = restored(one)
    for piece in (X[40:41], X[41:]):
        one.partial_fit(piece)
        other = restored(other.partial_fit(piece))
    assert_array_equal(one.components_, other.components_)
    assert_same(one, other)


@of_all(STREAMS)
def test_what_is_known_is_arrays_numbers_and_strings(template, X):
    plain = (np.ndarray, numbers.Number, str, type(None))
    state = streamed(template, X[:40], X[40:47])._state
    assert all(isinstance(value, plain) for value in state.values())
    assert all(value.dtype != object for value in state.values() if np.ndim(value))


@of_all(STREAMS)
def test_pieces_in_one_buffer_are_copied(template, X):
    one, buffer = streamed(template, X[:40], X[40:80]), np.empty((40, X.shape[1]))
    other = clone(template)
    for start in (0, 40):
        buffer[:] = X[start : start + 40]
        other.partial_fit(buffer)
        buffer[:] = np.nan
    assert_same(one.partial_fit(X[80:]), other.partial_fit(X[80:]))


@of_all(STREAMS)
def test_pieces_have_the_features_of_the_first(template, X):
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    one = streamed(template, table[:50], table[50:])
    assert one.n_features_in_ == X.shape[1]
    assert list(one.feature_names_in_) == list(table.columns)
    for other in (table[table.columns[::-1]], table.rename(columns={"x0": "z"})):
        with pytest.raises(ValueError, match="feature names"):
            one.partial_fit(other)


@of_all(MERGED)
def test_merged_fits_have_the_same_features(template, X):
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    one, other = streamed(template, table[:50]), streamed(template, table[50:])
    reversed_ = streamed(template, table[table.columns[::-1]])
    one.merge(other)
    assert one.n_features_in_ == X.shape[1]
    assert list(one.feature_names_in_) == list(table.columns)
    with pytest.raises(ValueError, match="same features in the same order"):
        one.merge(reversed_)


@of_all(MERGED)
def test_only_fits_of_the_same_kind_are_merged(template, X):
    one = streamed(template, X)
    with pytest.raises(NotFittedError):
        one.merge(clone(template))
    with pytest.raises(ValueError, match="merge needs another"):
        one.merge(StandardScaler().fit(X))
    if not isinstance(one, TruncatedSVDReducer):
        fewer = clone(template).set_params(n_components=len(one.components_) - 1)
        with pytest.raises(ValueError, match="merge needs two coders"):
            one.merge(fewer.fit(X))


@of_all(EXACT)
def test_merged_parts_are_the_whole_in_any_order(template, X):
    whole = clone(template).set_params(solver="gram").fit(X)
    for order in ((0, 1, 2), (2, 0, 1)):
        parts = [streamed(template, X[start : start + 30]) for start in (0, 30, 60)]
        first, second, third = (parts[i] for i in order)
        merged = first.merge(second).merge(third)
        assert_allclose(merged.singular_values_, whole.singular_values_, rtol=1e-9)
        assert_allclose(merged.transform(X), whole.transform(X), atol=1e-6)


@of_all(MERGED)
def test_merging_leaves_the_other_as_it_was(template, X):
    one, other = streamed(template, X[:50]), streamed(template, X[50:90], X[40:42])
    twin, codes = restored(other), other.transform(X)
    one.merge(other)
    assert_same(other, twin)
    assert_array_equal(dense(other.transform(X)), dense(codes))


@of_all(MERGED)
def test_a_merged_fit_goes_on(template, X):
    one = streamed(template, X[:50]).merge(streamed(template, X[50:]))
    other = restored(one)
    assert_array_equal(
        one.partial_fit(X[:7]).components_, other.partial_fit(X[:7]).components_
    )
    assert np.all(np.isfinite(one.components_))


@of_all(STREAMS)
def test_a_call_that_fails_leaves_the_transformer_as_it_was(template, X):
    one = streamed(template, X[:40], X[40:47])
    wider = streamed(template, np.hstack([X, X]))
    before = dict(vars(one))
    calls = [(one.partial_fit, np.full((3, 8), np.inf)), (one.partial_fit, X[:, :5])]
    if hasattr(one, "merge") and learns(one):
        calls.append((one.merge, wider))
    for method, given in calls:
        with pytest.raises(ValueError, match=r"infinity|features|same layout"):
            method(given)
        assert vars(one).keys() == before.keys()
        assert all(vars(one)[name] is value for name, value in before.items())


@of_all(WEIGHTED)
def test_weights_of_pieces_are_repetitions(template, X):
    if "init" in template.get_params():  # rows that are drawn depend on their number
        template.set_params(init=X[:6], n_components=None)
    weights = np.random.default_rng(0).integers(0, 3, len(X))
    weighted, repeated = clone(template), clone(template)
    for piece in (slice(0, 50), slice(50, 90)):
        weighted.partial_fit(X[piece], sample_weight=weights[piece])
        repeated.partial_fit(X[piece].repeat(weights[piece], axis=0))
    assert_allclose(
        np.abs(weighted.components_), np.abs(repeated.components_), atol=1e-6
    )
