"""Laws of all transformers whose rows may come in pieces, and whose fits merge."""

import numbers
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sksparse_nn import SparseDictionaryCoder, TruncatedSVDReducer
from sksparse_nn.solvers._state import State
from tests.decomposition.attention_coders import ATTENTION_CODERS
from tests.decomposition.coders import SPARSE_CODERS
from tests.decomposition.reducers import REDUCERS
from tests.estimators import name_of

REDUCED = [e for e in REDUCERS if e.n_jobs is None]
# Reducers to a fixed number of components keep a sketch where rows are wide.
SKETCHED = [e for e in REDUCED if isinstance(e.n_components, int)]
CODED = [e for e in (*SPARSE_CODERS, *ATTENTION_CODERS) if hasattr(e, "partial_fit")]
SHORT_BATCHES = SparseDictionaryCoder(6, batch_size=25)

STREAMS = {
    **{name_of(e): (e, 5000) for e in [*REDUCED, *CODED, SHORT_BATCHES]},
    **{f"sketch of {name_of(e)}": (e, 1) for e in SKETCHED},
}
# A mini-batch has a number of rows, whatever their weight.
WEIGHTED = {
    name: case
    for name, case in STREAMS.items()
    if getattr(case[0], "batch_size", 512) == 512
}

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


def state_of(transformer):
    if isinstance(transformer, TruncatedSVDReducer):
        return transformer._stored_statistics()
    return transformer._known_state()


def context_of(state):
    names = ("partition", "plan", "setting")
    return next(getattr(state, name) for name in names if hasattr(state, name))


def restored(thing):
    return pickle.loads(pickle.dumps(thing))


def assert_same(one, other):
    """Compare values of any kind to the bit."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    elif isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif sparse.issparse(one):
        assert_array_equal(one.toarray(), other.toarray())
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert_array_equal(one, other)
    else:
        assert one == other


@of_all(STREAMS)
def test_a_pickled_stream_goes_on_to_the_bit(template, X):
    one = streamed(template, X[:40])
    other = restored(one)
    for piece in (X[40:41], X[41:]):
        one.partial_fit(piece)
        other = restored(other.partial_fit(piece))
    assert_array_equal(one.components_, other.components_)
    assert_same(state_of(one).arrays(), state_of(other).arrays())


@of_all(STREAMS)
def test_a_state_is_restored_from_its_arrays(template, X):
    state = state_of(streamed(template, X[:40], X[40:47]))
    assert isinstance(state, State)
    arrays = restored(state.arrays())
    again = type(state).from_arrays(arrays, context_of(state))
    assert_same(again.arrays(), state.arrays())
    assert_same(again.merge(state).arrays(), state.merge(again).arrays())


@of_all(STREAMS)
def test_a_state_is_made_of_plain_types(template, X):
    plain = (np.ndarray, numbers.Number, str, type(None))
    for value in state_of(streamed(template, X[:40], X[40:47])).arrays().values():
        for part in value if isinstance(value, tuple) else (value,):
            assert isinstance(part, plain) or sparse.issparse(part)


@of_all(STREAMS)
def test_pieces_in_one_buffer_are_copied(template, X):
    one, buffer = streamed(template, X[:40], X[40:80]), np.empty((40, 8))
    other = clone(template)
    for start in (0, 40):
        buffer[:] = X[start : start + 40]
        other.partial_fit(buffer)
        buffer[:] = np.nan
    ends = [state_of(each.partial_fit(X[80:])).arrays() for each in (one, other)]
    assert_same(*ends)


@of_all(STREAMS)
def test_merging_leaves_the_other_as_it_was(template, X):
    one, other = streamed(template, X[:50]), streamed(template, X[50:90], X[40:42])
    known, codes = restored(state_of(other).arrays()), other.transform(X)
    one.merge(other)
    assert_same(state_of(other).arrays(), known)
    assert_same(other.transform(X), codes)


@of_all(STREAMS)
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
    for method, given in [
        (one.partial_fit, np.full((3, 8), np.inf)),
        (one.partial_fit, X[:, :5]),
        (one.merge, wider),
    ]:
        with pytest.raises(ValueError, match=r"infinity|features|n_components"):
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
