"""What attention learns from rows in pieces, against a naive twin."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.datasets import load_digits

from sksparse_nn import SparseAttentionCoder, for_prediction
from sksparse_nn.solvers.simplex import KEYS
from tests.decomposition.attention_coders import ATTENTION_CODERS
from tests.estimators import name_of

STREAMING = [coder for coder in ATTENTION_CODERS if hasattr(coder, "partial_fit")]


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)[0][:600] / 16


@pytest.fixture
def coder():
    return SparseAttentionCoder(12, n_active=3, random_state=0)


def dense(codes):
    return codes.toarray() if sparse.issparse(codes) else codes


def naive_stream(coder, first, pieces):
    """Go on from a fit piece by piece: keys, the temperature and objectives."""
    coder = clone(coder).fit(first)
    keys, counts = coder.keys_, coder._state["counts"]
    temperature, n_rows, objectives = coder.temperature_, len(first), []
    for X in pieces:
        squares = ((X[:, None] - keys) ** 2).sum(axis=2)
        nearest = np.eye(len(keys))[squares.argmin(axis=1)]
        objectives.append(squares.min(axis=1).mean() / 2)
        more = nearest.sum(axis=0)
        total = np.maximum(counts + more, 1)[:, None]
        keys = keys + (nearest.T @ X - more[:, None] * keys) / total
        counts = counts + more
        temperature = suit(temperature, n_rows, keys, X, coder.n_active)
        n_rows += len(X)
    return keys, temperature, objectives


def suit(temperature, n_rows, keys, X, n_active):
    """Return the mean of a temperature and that of further rows, by bisection."""
    halves = ((X[:, None] - keys) ** 2).sum(axis=2) / 2
    low, high = 1e-9, 1e3
    for _ in range(200):
        middle = (low + high) / 2
        is_low = count_active(-halves / middle) <= n_active
        low, high = (middle, high) if is_low else (low, middle)
    return (n_rows * temperature + len(X) * low) / (n_rows + len(X))


def count_active(scores):
    """Return the mean number of nonzeros of sparsemax."""
    ordered = -np.sort(-scores, axis=1)
    places = np.arange(1, scores.shape[1] + 1)
    return (1 + places * ordered > np.cumsum(ordered, axis=1)).sum(axis=1).mean()


def naive_values(coder, keys, X, C):
    A = C.T @ C
    weight = coder.values_reg * np.trace(A) / len(A)
    moves = np.linalg.solve(A + weight * np.eye(len(A)), C.T @ (X - C @ keys))
    return keys + moves


@pytest.mark.parametrize("coder", STREAMING, ids=name_of)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_the_first_rows_are_fitted_as_by_fit(coder, form, digits):
    coder = clone(coder).set_params(random_state=0)
    weights = np.arange(len(digits)) % 3
    one, other = clone(coder), clone(coder)
    one.fit(form(digits), sample_weight=weights)
    other.partial_fit(form(digits), sample_weight=weights)
    for name in ("keys_", "components_", "temperature_", "n_active_", "n_iter_"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert_array_equal(one.history_["objective"], other.history_["objective"])


def test_keys_move_as_running_means(coder, digits):
    first, pieces = digits[:200], [digits[200:210], digits[210:600]]
    keys, _, objectives = naive_stream(coder, first, pieces)
    coder.fit(first)
    n_passes = coder.n_iter_
    for piece in pieces:
        coder.partial_fit(piece)
    assert_allclose(coder.keys_, keys, atol=1e-10)
    assert_allclose(coder.history_["objective"][n_passes:], objectives)
    assert coder.n_iter_ == n_passes + 2


def test_the_temperature_is_the_mean_of_those_of_pieces(coder, digits):
    first, pieces = digits[:200], [digits[200:250], digits[250:600]]
    _, temperature, _ = naive_stream(coder, first, pieces)
    coder.fit(first)
    for piece in pieces:
        coder.partial_fit(piece)
    assert_allclose(coder.temperature_, temperature, rtol=0.02)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("offset", [0, 100])
def test_values_are_fitted_to_the_rows_of_all_pieces(coder, form, offset, digits):
    X = digits + offset
    coder.fit(form(X[:200]))
    C = dense(coder.transform(X[:200]))
    for piece in (X[200:207], X[207:]):
        codes = coder.partial_fit(form(piece)).transform(piece)
        C = np.vstack([C, dense(codes)])
    assert_allclose(
        coder.components_, naive_values(coder, coder.keys_, X, C), atol=1e-6
    )
    assert_allclose(coder.n_active_, np.count_nonzero(C, axis=1).mean())


def test_pieces_leave_little_more_of_the_rows_than_one_fit(coder, digits):
    pieces = clone(coder)
    for piece in np.split(digits, 6):
        pieces.partial_fit(piece)
    left = [
        np.sum((digits - each.inverse_transform(each.transform(digits))) ** 2)
        for each in (coder.fit(digits), pieces)
    ]
    assert left[1] < 1.15 * left[0]


def test_single_rows_can_follow(coder, digits):
    coder.partial_fit(digits[:100])
    for row in digits[100:130]:
        coder.partial_fit(row[None])
    assert coder._state["counts"].sum() == 130
    assert_allclose(coder.transform(digits).sum(axis=1), 1)


@pytest.mark.filterwarnings("ignore:n_components=:UserWarning")
@pytest.mark.parametrize("n_first", [1, 2, 5])
def test_there_are_as_many_keys_as_distinct_first_rows(coder, n_first, digits):
    coder.set_params(n_active=None).partial_fit(np.repeat(digits[:n_first], 2, axis=0))
    coder.partial_fit(digits[20:23]).partial_fit(digits)
    assert coder.keys_.shape == (n_first, 64)
    assert np.all(np.isfinite(coder.components_))


def test_few_first_rows_are_told(coder, digits):
    with pytest.warns(UserWarning, match="n_components=12 is more than the 5 distinct"):
        coder.partial_fit(digits[:5])


def test_further_rows_are_taken_in_the_type_of_the_first(coder, digits):
    coder.partial_fit(digits[:300].astype(np.float32)).partial_fit(digits[300:])
    assert coder.keys_.dtype == coder.components_.dtype == np.float32
    with pytest.raises(ValueError, match="too large for dtype"):
        coder.partial_fit(np.full((2, 64), 1e100))


def test_results_do_not_depend_on_threads(coder, digits):
    one, two = (clone(coder).set_params(n_jobs=n) for n in (1, 2))
    for each in (one, two):
        each.partial_fit(digits[:300]).partial_fit(digits[300:])
    assert_array_equal(one.components_, two.components_)


@pytest.mark.parametrize("keys", [name for name in KEYS if not KEYS[name].streams])
def test_keys_found_from_all_rows_have_no_partial_fit(keys, digits):
    coder = SparseAttentionCoder(4, keys=keys, random_state=0)
    assert not hasattr(coder, "partial_fit")
    with pytest.raises(AttributeError) as error:
        coder.partial_fit  # noqa: B018
    assert "needs one of the keys ['kmeans']" in str(error.value.__cause__)
    assert not hasattr(coder.fit(digits), "_state")


def test_rows_are_not_added_where_nothing_was_kept(coder, digits):
    medoids = SparseAttentionCoder(12, keys="medoids", random_state=0).fit(digits)
    with pytest.raises(ValueError, match="Rows can be added only where fit kept"):
        coder.fit(digits).merge(medoids)
    with pytest.raises(ValueError, match="Rows can be added only where fit kept"):
        medoids.set_params(keys="kmeans").partial_fit(digits)
    with pytest.raises(ValueError, match="Rows can be added only where fit kept"):
        for_prediction(coder).partial_fit(digits)


def test_fewer_keys_than_there_are_cannot_go_on(coder, digits):
    coder.fit(digits).set_params(n_components=7)
    with pytest.raises(ValueError, match=r"with the 12 keys.* Got n_components=7"):
        coder.partial_fit(digits)


# Two fits


def test_merged_keys_are_means_by_the_rows_behind_them(coder, digits):
    one = clone(coder).fit(digits[:100])
    two = clone(one).fit(digits[:100]).partial_fit(digits[100:])
    counts = one._state["counts"], two._state["counts"]
    keys, total = [one.keys_, two.keys_], sum(counts)
    means = sum(k * n[:, None] for k, n in zip(keys, counts, strict=True))
    one.merge(two)
    assert_allclose(one.keys_, means / total[:, None], atol=1e-12)
    assert one._state["weight"] == 700


def test_the_order_of_keys_does_not_matter_to_a_merge(coder, digits):
    first = clone(coder).fit(digits[:300])
    two, shuffled = (clone(coder).fit(digits[:300]) for _ in range(2))
    two.partial_fit(digits[300:]), shuffled.partial_fit(digits[300:])
    order = np.random.default_rng(0).permutation(12)
    state = shuffled._state
    shuffled._state = state | {
        "keys": state["keys"][order],
        "counts": state["counts"][order],
        "A": state["A"][np.ix_(order, order)],
        "B": state["B"][order],
    }
    other = clone(coder).fit(digits[:300])
    first.merge(two), other.merge(shuffled)
    assert_allclose(other.keys_, first.keys_, atol=1e-12)
    assert_allclose(other.components_, first.components_, atol=1e-9)


@pytest.mark.parametrize("offset", [0, 1000])
def test_a_merged_fit_has_the_values_of_the_rows_of_both(coder, offset, digits):
    X = digits + offset
    one, two = (clone(coder).fit(part) for part in (X[:300], X[300:]))
    order = match(one.keys_, two.keys_)
    C = np.vstack(
        [dense(one.transform(X[:300])), dense(two.transform(X[300:]))[:, order]]
    )
    share = 1 / 2
    temperature = share * one.temperature_ + share * two.temperature_
    one.merge(two)
    assert_allclose(one.components_, naive_values(one, one.keys_, X, C), atol=1e-6)
    assert_allclose(one.temperature_, temperature)


def match(keys, others):
    return linear_sum_assignment(((keys[:, None] - others) ** 2).sum(axis=2))[1]


def test_merging_other_shapes_says_so(coder, digits):
    one = clone(coder).fit(digits)
    for other in (
        clone(coder).set_params(n_components=9).fit(digits),
        clone(coder).fit(digits[:, :20]),
    ):
        with pytest.raises(ValueError, match="as many keys and features"):
            one.merge(other)
