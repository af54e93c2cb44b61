"""The screener against naive definitions, on hostile rows, and on real data."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from sksparse_nn import RowScreener, SparseDictionaryCoder
from sksparse_nn.screening._exclusions import count_rules

CLEAN = [load_digits, load_iris, load_wine, load_breast_cancer, load_diabetes]


def rules_of(table, row):
    return sorted(set(table["rule"][table["row"] == row].tolist()))


def naive_limits(column, quantile_range, margin):
    """Return the limits of one column of finite numbers, by their definition."""
    ordered = np.sort(column)
    n = len(ordered)

    def quantile(values, q):
        return values[max(int(np.ceil(q / 100 * len(values) - 1e-9)) - 1, 0)]

    middle = quantile(ordered, 50)
    low, high = (quantile(ordered, q) for q in quantile_range)
    others = ordered
    if np.sum(ordered == middle) > n / 2:
        others = ordered[ordered != middle]
        if len(others) >= 20:
            low = min(middle, quantile(others, quantile_range[0]))
            high = max(middle, quantile(others, quantile_range[1]))
    if len(others) < 20 or low == high:
        return -np.inf, np.inf
    return low - margin * (high - low), high + margin * (high - low)


@pytest.fixture(name="X")
def numbers():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6))
    X[:, 1] = rng.integers(0, 4, 200)
    X[:, 2] = np.where(rng.random(200) < 0.8, 0, rng.exponential(size=200))
    X[:, 3] = np.where(rng.random(200) < 0.95, 7, 8)
    X[:, 4] = 3
    return X


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, pd.DataFrame])
@pytest.mark.parametrize("setting", [((5, 95), 5.0), ((10, 75), 0.5), ((0, 100), 0)])
def test_limits_are_those_of_the_definition(X, kind, setting):
    quantile_range, margin = setting
    screener = RowScreener(quantile_range=quantile_range, margin=margin)
    X = np.vstack([X, np.full(6, np.nan), np.full(6, np.inf)])
    screener.fit(kind(X) if kind is not pd.DataFrame else kind(X).add_prefix("f"))
    finite = X[:-2]
    expected = [naive_limits(column, quantile_range, margin) for column in finite.T]
    assert_array_equal(screener.lower_limits_, [low for low, _ in expected])
    assert_array_equal(screener.upper_limits_, [high for _, high in expected])


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_what_is_excluded_is_what_the_rules_say(X, kind):
    X = np.abs(X)
    X[3, 0], X[5, 2], X[5, 5], X[7, 1] = 80, np.nan, -np.inf, -50
    X[20] = X[11]
    X[30] = 3
    screener = RowScreener().fit(kind(X))
    table = screener.excluded_
    assert sorted(set(table["row"].tolist())) == [3, 5, 7, 20, 30]
    assert [rules_of(table, row) for row in (3, 5, 7, 20, 30)] == [
        ["range"],
        ["infinite", "missing"],
        ["range"],
        ["duplicate"],
        ["constant"],
    ]
    lines = pd.DataFrame(table).set_index(["row", "rule"])
    assert lines.loc[(3, "range"), "value"] == 80
    assert lines.loc[(3, "range"), "column"] == "x0"
    assert lines.loc[(3, "range"), "limit"] == screener.upper_limits_[0]
    assert lines.loc[(7, "range"), "limit"] == screener.lower_limits_[1]
    assert lines.loc[(20, "duplicate"), "limit"] == 11
    assert lines.loc[(30, "constant"), "value"] == 3
    kept = np.setdiff1d(np.arange(200), [3, 5, 7, 20, 30])
    assert_array_equal(screener.sample_indices_, kept)
    assert_array_equal(
        np.flatnonzero(screener.predict(kind(X)) < 0), [3, 5, 7, 30], "no duplicates"
    )


@pytest.mark.parametrize("load", CLEAN)
def test_clean_data_is_kept(load):
    X, y = load(return_X_y=True)
    assert len(RowScreener().fit(X, y).sample_indices_) == len(X)


def test_scores_are_those_of_the_worst_cell(X):
    screener = RowScreener(["range"], margin=0.2).fit(X)
    lower, upper = screener.lower_limits_, screener.upper_limits_
    middle = np.sort(X, axis=0)[99]
    with np.errstate(invalid="ignore"):
        reach = np.where(middle < X, upper - middle, middle - lower)
        ratio = np.max(np.abs(X - middle) / reach, axis=1)
    assert_allclose(screener.score_samples(X), -ratio / (1 + ratio), rtol=1e-12)
    is_out = np.any((lower > X) | (upper < X), axis=1)
    assert is_out.any()
    assert_array_equal(screener.predict(X) == -1, is_out)
    assert_array_equal(
        np.unique(screener.list_exclusions(X)["row"]), is_out.nonzero()[0]
    )


def test_scaling_columns_changes_nothing(X):
    X[3, 0], X[20] = 80, X[11]
    X[20, 0] += 1e-6
    one = RowScreener(duplicate_tol=1e-3).fit(X)
    other = RowScreener(duplicate_tol=1e-3).fit(X * 2.0 ** np.arange(-20, 40, 10))
    assert_array_equal(one.excluded_["row"], other.excluded_["row"])
    assert_array_equal(one.excluded_["rule"], other.excluded_["rule"])
    assert "near_duplicate" in one.excluded_["rule"]


def test_near_duplicates_are_those_of_all_pairs():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 20))
    X[100:120] = (
        X[:20] + rng.standard_normal((20, 20)) * np.logspace(-4, -1, 20)[:, None]
    )
    tol = 0.02
    screener = RowScreener(duplicate_tol=tol).fit(X)
    table = screener.excluded_
    found = table["row"][table["rule"] == "near_duplicate"]
    scaled = X / screener._limits["spread"]
    apart = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    # The typical distance is estimated from a thousand pairs.
    typical = np.median(apart[np.triu_indices(150, 1)])
    sure = [j for j in range(150) if (apart[j, :j] < 0.9 * tol * typical).any()]
    maybe = [j for j in range(150) if (apart[j, :j] < 1.1 * tol * typical).any()]
    assert set(sure) <= set(found.tolist()) <= set(maybe)
    assert len(sure) > 8
    csr = RowScreener(duplicate_tol=tol).fit(sparse.csr_array(X))
    assert_array_equal(csr.excluded_["row"], table["row"])


def test_equal_rows_are_kept_where_chance_makes_them():
    rng = np.random.default_rng(0)
    votes = rng.integers(0, 2, (300, 5))
    screener = RowScreener().fit(votes)
    assert len(screener.sample_indices_) == 300
    assert {"constant", "duplicate"}.isdisjoint(screener.rules_)
    strict = RowScreener(["duplicate", "constant"]).fit(votes)
    kept = votes[strict.sample_indices_]
    assert len(kept) == len(np.unique(votes, axis=0)) - 2
    assert not (kept == kept[:, :1]).all(axis=1).any()


def test_a_duplicate_stands_in_for_an_excluded_row(X):
    X[20] = X[11]
    y = np.arange(200.0)
    y[11] = np.nan
    table = RowScreener().fit(X, y).excluded_
    assert table["row"].tolist() == [11]
    assert table["rule"].tolist() == ["missing_label"]


LABELS = {
    "numbers": (np.array([0.0, 1, np.nan, 1, 0, 2]), [2], [5]),
    "objects": (np.array(["a", "b", None, "b", "a", "c"], dtype=object), [2], [5]),
    "texts": (np.array(["a", "b", "?", "b", "a", "c"]), [2], [5]),
    "series": (pd.Series(["a", "b", pd.NA, "b", "a", "c"], dtype="string"), [2], [5]),
    "categories": (
        pd.Series(["a", "b", None, "b", "a", "c"], dtype="category"),
        [2],
        [5],
    ),
    "integers": (pd.Series([0, 1, None, 1, 0, 2], dtype="Int64"), [2], [5]),
    "list": ([0, 1, -1, 1, 0, 2], [2], [5]),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_missing_or_of_small_classes(name, X):
    y, missing, small = LABELS[name]
    other = {"texts": "?", "list": -1, "series": "?", "categories": "?"}.get(name)
    screener = RowScreener(min_class_size=2, missing_label=other).fit(X[:6], y)
    table = screener.excluded_
    assert table["row"][table["rule"] == "missing_label"].tolist() == missing
    assert table["row"][table["rule"] == "small_class"].tolist() == small
    assert table["limit"][table["rule"] == "small_class"].tolist() == [2]
    again = screener.list_exclusions(X[:6], y)
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(table))
    assert len(screener.list_exclusions(X[:6])["row"]) == 0


def test_minus_one_is_a_label_unless_it_is_named(X):
    y = np.where(np.arange(200) % 2, 1, -1)
    assert len(RowScreener().fit(X, y).sample_indices_) == 200
    assert len(RowScreener(missing_label=-1).fit(X, y).sample_indices_) == 100


def test_several_labels_of_a_sample_must_all_be_there(X):
    y = np.ones((200, 3))
    y[4, 1] = np.nan
    assert RowScreener().fit(X, y).excluded_["row"].tolist() == [4]
    assert len(RowScreener().fit(X, sparse.csr_array(y > 0)).sample_indices_) == 200
    with pytest.raises(ValueError, match="one class per sample"):
        RowScreener(min_class_size=2).fit(X, y)
    with pytest.raises(ValueError, match="Got y with fractions"):
        RowScreener(min_class_size=2).fit(X, X[:, 0])


@pytest.fixture(name="table")
def mixed_table():
    rng = np.random.default_rng(0)
    n = 300
    return pd.DataFrame(
        {
            "size": rng.normal(10, 1, n),
            "count": pd.array(rng.integers(0, 50, n), dtype="Int64"),
            "weight": [f"{value:.3f}" for value in rng.normal(5, 1, n)],
            "site": pd.Categorical(rng.choice(["a", "b", "c"], n)),
            "note": [f"note {i}" for i in range(n)],
            "day": pd.date_range("2026-01-01", periods=n),
            "is_new": rng.random(n) < 0.5,
        }
    ).astype({"weight": object})


def test_columns_of_all_kinds_are_screened(table):
    whole = RowScreener().fit(table)
    assert len(whole.sample_indices_) == 300
    faulty = table.copy()
    faulty.loc[1, "weight"] = "5,1"
    faulty.loc[2, "count"] = pd.NA
    faulty.loc[3, "site"] = None
    faulty.loc[4, "size"] = 1000
    faulty.loc[5, "day"] = pd.NaT
    faulty.loc[6] = faulty.loc[0]
    faulty["site"] = faulty["site"].astype(object)
    faulty.loc[7, "site"] = "d"
    screener = RowScreener().fit(faulty)
    found = pd.DataFrame(screener.excluded_)
    expected = {
        1: ("weight", "type", "5,1"),
        4: ("size", "range", 1000),
        6: ("", "duplicate", np.nan),
    }
    assert found["row"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found.set_index("row").loc[[2, 3, 5], "rule"].tolist() == ["missing"] * 3
    for row, (column, rule, value) in expected.items():
        line = found.set_index("row").loc[row]
        assert (line["column"], line["rule"]) == (column, rule)
        assert line["value"] == value or value != value
    new = pd.DataFrame(whole.list_exclusions(faulty)).set_index("row")
    assert new.loc[7, "rule"] == "category"
    assert new.loc[7, "value"] == "d"
    assert_array_equal(np.flatnonzero(whole.predict(faulty) < 0), [1, 2, 3, 4, 5, 7])
    kept, _ = screener.fit_resample(faulty)
    assert_array_equal(kept.index, screener.sample_indices_)
    assert kept.dtypes.equals(faulty.dtypes)


def test_free_text_and_rare_categories_are_no_faults(table):
    screener = RowScreener().fit(table)
    new = table.copy()
    new["note"] = "something else"
    assert (screener.predict(new) == 1).all()


def test_rows_that_are_all_excluded_are_an_error(X):
    X[:, 2] = np.nan
    with pytest.raises(
        ValueError, match=r"all of them excluded by 'missing' \(200, mostly"
    ):
        RowScreener().fit(X)
    screener = RowScreener(["infinite", "range"]).fit(X)
    assert (screener.predict(X) == 1).all()
    with pytest.raises(ValueError, match="all of them excluded by 'missing_label'"):
        RowScreener().fit(X[:, :2], np.full(200, np.nan))


def test_a_fit_that_fails_leaves_the_screener_as_it_was(X):
    screener = RowScreener().fit(X)
    before = dict(vars(screener))
    with pytest.raises(ValueError, match="all of them"):
        screener.fit(np.full((5, 2), np.nan))
    with pytest.raises(ValueError, match="6 features"):
        screener.partial_fit(X[:, :4])
    assert vars(screener) == before


@pytest.mark.parametrize("n_rows", [1, 2, 5])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, pd.DataFrame])
def test_few_rows_are_enough(X, kind, n_rows):
    rows = X[:n_rows]
    rows = kind(rows).add_prefix("f") if kind is pd.DataFrame else kind(rows)
    assert len(RowScreener(duplicate_tol=0.01).fit(rows).sample_indices_) == n_rows


@pytest.mark.parametrize("empty", [np.empty((0, 3)), pd.DataFrame({"a": []})])
def test_no_rows_are_an_error(empty, X):
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        RowScreener().fit(empty)


@pytest.mark.filterwarnings("error")
def test_huge_numbers_are_out_of_range_and_break_nothing(X):
    far = X * 1e290
    X[3, 0], X[4, 2], X[5, 5] = 1e300, -1e300, 1e308
    for rows in (X, sparse.csr_array(X)):
        screener = RowScreener(duplicate_tol=1e-4).fit(rows)
        assert screener.excluded_["row"].tolist() == [3, 4, 5]
        assert np.isfinite(screener.score_samples(rows)).all()
    assert len(RowScreener().fit(far).sample_indices_) == 200


def test_stored_zeros_and_duplicate_entries_are_what_they_add_up_to(X):
    one = sparse.csr_array(X)
    rows = np.repeat(np.arange(200), 12)
    columns = np.tile(np.repeat(np.arange(6), 2), 200)
    halves = np.repeat(X.ravel(), 2) / 2
    other = sparse.coo_array((halves, (rows, columns)), shape=X.shape).tocsr(copy=True)
    stored = sparse.csr_array(
        (halves, columns.astype(np.int32), np.arange(0, 2401, 12)), shape=X.shape
    )
    for given in (other, stored):
        before = given.data.copy()
        screener = RowScreener(margin=0.1).fit(given)
        assert_array_equal(given.data, before)
        expected = RowScreener(margin=0.1).fit(one)
        assert_array_equal(screener.excluded_["row"], expected.excluded_["row"])
        assert_array_equal(screener.score_samples(given), expected.score_samples(one))


def test_wide_csr_rows_are_never_made_dense():
    rng = np.random.default_rng(0)
    X = sparse.random_array((3000, 500_000), density=8e-5, rng=rng, format="csr")
    X.data[5], X.data[600] = np.nan, 1e9
    screener = RowScreener().fit(X)  # 12 GB if dense
    counts = count_rules(screener.excluded_)
    assert counts["missing"] == 1
    assert len(screener.predict(X)) == 3000


def chunks_of(X, y, *cuts):
    return [(X[a:b], y[a:b]) for a, b in zip((0, *cuts), (*cuts, len(y)), strict=True)]


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_chunks_teach_what_the_whole_teaches(X, kind):
    X[20], X[150], y = X[11], X[11], np.arange(200) % 3
    X = kind(X)
    whole = RowScreener(min_class_size=2).fit(X, y)
    streamed = RowScreener(min_class_size=2)
    for part in chunks_of(X, y, 15, 100):
        streamed.partial_fit(*part)
    assert_array_equal(streamed.lower_limits_, whole.lower_limits_)
    assert streamed.rules_ == whole.rules_
    assert streamed.n_samples_seen_ == 200
    assert streamed.excluded_["row"].tolist() == [50]  # the 150th of all
    assert streamed.excluded_["limit"].tolist() == [11]
    assert_array_equal(streamed.predict(X), whole.predict(X))
    one, other = (
        RowScreener(min_class_size=2).partial_fit(*part)
        for part in chunks_of(X, y, 120)
    )
    one.merge(pickle.loads(pickle.dumps(other)))
    assert_array_equal(one.upper_limits_, whole.upper_limits_)
    for name, value in whole._state.items():
        assert_array_equal(one._state[name], value)


def test_chunks_that_are_all_bad_are_no_error(X):
    stream = RowScreener().partial_fit(X)
    stream.partial_fit(np.full((4, 6), np.nan))
    assert len(stream.sample_indices_) == 0
    assert len(stream.excluded_["row"]) == 24


def test_memory_of_a_stream_is_bounded(monkeypatch, X):
    monkeypatch.setattr("sksparse_nn.screening._state.MOST_KEYS", 50)
    monkeypatch.setattr("sksparse_nn.screening._state.MOST_ROWS", 40)
    stream, rng = RowScreener(), np.random.default_rng(0)
    for _ in range(10):
        stream.partial_fit(rng.standard_normal((200, 6)))
    assert len(stream._state["keys"]) == 50
    assert len(stream._state["sample_X"]) == 40
    assert stream.upper_limits_ == pytest.approx(18, rel=0.4)


DETECTORS = {
    "forest": (IsolationForest(random_state=0), None),
    "neighbours": (LocalOutlierFactor(novelty=True), None),
    "reconstruction": ("reconstruction", 0.05),
    "dictionary": (SparseDictionaryCoder(20, random_state=0), 0.05),
}


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_detectors_judge_what_breaks_no_rule(name, kind):
    detector, quantile = DETECTORS[name]
    X, _ = load_digits(return_X_y=True)
    X = X[:500]
    rng = np.random.default_rng(0)
    X[:10] = rng.permuted(X[:10], axis=1)
    X[10] = np.nan
    X = kind(X)
    screener = RowScreener(detector=detector, detector_quantile=quantile).fit(X)
    table = screener.excluded_
    assert rules_of(table, 10) == ["missing"]
    found = np.unique(table["row"][table["rule"] == "detector"])
    assert len(found)
    assert_array_equal(np.flatnonzero(screener.predict(X) < 0), np.unique(table["row"]))
    assert not hasattr(screener, "partial_fit")


def test_parameters_that_say_nothing_are_refused(X):
    wrong = [
        ({"rules": ["nan"]}, "some of .* Got \\['nan'\\]"),
        ({"rules": []}, "Got \\[\\]"),
        ({"quantile_range": (95, 5)}, "the lower one first"),
        ({"detector_quantile": 0.1}, "read by a detector only"),
        ({"detector": LocalOutlierFactor()}, "detector"),
        ({"margin": -1}, "margin"),
    ]
    for parameters, message in wrong:
        with pytest.raises(ValueError, match=message):
            RowScreener(**parameters).fit(X)
    with pytest.raises(ValueError, match="dates or times"):
        RowScreener().fit(np.array([["2026-01-01"]], dtype="M8[D]"))


def test_a_row_has_ten_lines_per_rule_at_most(X):
    wide = np.hstack([X] * 5)
    wide[3] = np.nan
    table = RowScreener().fit(wide).excluded_
    assert (table["row"] == 3).sum() == 10


def test_features_keep_their_names(X):
    table = pd.DataFrame(X, columns=list("abcdef"))
    screener = RowScreener().fit(table)
    with pytest.raises(ValueError, match="feature names should match"):
        screener.predict(table[list("fedcba")])
    with pytest.raises(ValueError, match="X has 2 features"):
        RowScreener().fit(X).predict(X[:, :2])


def test_clones_and_pickles_screen_alike(X):
    X[3, 0] = 80
    screener = RowScreener(margin=1.0).fit(X)
    for twin in (clone(screener).fit(X), pickle.loads(pickle.dumps(screener))):
        assert_array_equal(twin.score_samples(X), screener.score_samples(X))
        assert_array_equal(twin.excluded_["row"], screener.excluded_["row"])
