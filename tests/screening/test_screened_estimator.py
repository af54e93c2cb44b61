"""Estimators behind a screener, in all places where estimators stand."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.pipeline import make_pipeline as make_resampling_pipeline
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.linear_model import (
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sksparse_nn import (
    NetPruner,
    RowScreener,
    ScreenedEstimator,
    SparseNetClassifier,
    TruncatedSVDReducer,
    compression_report,
    for_prediction,
)
from sksparse_nn.inspection import attribute
from tests.persistence.saving import through_skops, untrusted_types

BAD = [3, 40, 70, 120]


@pytest.fixture(name="wine")
def faulty_wine():
    X, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], y[order].astype(float)
    X[3], X[40, 2], X[70, 5], y[120] = np.nan, 1e4, np.inf, np.nan
    return X, y


@pytest.fixture(name="kept")
def kept_rows(wine):
    return np.setdiff1d(np.arange(len(wine[0])), BAD)


def linear():
    return make_pipeline(StandardScaler(), LogisticRegression())


def test_the_estimator_is_that_of_the_kept_rows(wine, kept):
    X, y = wine
    screened = ScreenedEstimator(RowScreener(), linear()).fit(X, y)
    plain = linear().fit(X[kept], y[kept])
    assert_array_equal(screened.screener_.sample_indices_, kept)
    for method in ("predict", "predict_proba", "decision_function"):
        given, expected = getattr(screened, method), getattr(plain, method)
        assert_array_equal(given(X[kept]), expected(X[kept]))
    assert screened.score(X[kept], y[kept]) == plain.score(X[kept], y[kept])
    assert_array_equal(screened.classes_, [0, 1, 2])
    assert screened.n_features_in_ == 13


def test_what_becomes_of_excluded_rows(wine, kept):
    X, y = wine
    screened = ScreenedEstimator(RowScreener(), linear()).fit(X, y)
    medians = np.sort(X[np.isfinite(X[:, 5]), 5])
    repaired = X.copy()
    repaired[3] = screened.screener_._limits["middle"]
    repaired[70, 5] = medians[(len(medians) - 1) // 2]
    assert_array_equal(
        screened.predict_proba(X), screened.estimator_.predict_proba(repaired)
    )
    screened.set_params(on_excluded="nan")
    for method in ("predict", "predict_proba"):
        found = getattr(screened, method)(X)
        assert np.isnan(found[[3, 40, 70]]).all()
        expected = getattr(screened.estimator_, method)(X[kept])
        assert_array_equal(found[kept], expected)
    assert np.isnan(screened.predict(X[[3, 40]])).all()
    assert screened.predict_proba(X[[3, 40]]).shape == (2, 3)
    assert screened.score(X[:60], y[:60]) == screened.score(
        np.delete(X[:60], [3, 40], 0), np.delete(y[:60], [3, 40])
    )
    with pytest.raises(ValueError, match="all of them excluded"):
        screened.decision_function(X[[3, 40]])
    screened.set_params(on_excluded="raise")
    assert len(screened.predict(X[:3])) == 3
    with pytest.raises(
        ValueError, match=r"Got 3 of 178, by 'infinite' .* \[3, 40, 70\]"
    ):
        screened.predict(X)
    with pytest.raises(ValueError, match="Got 3 of"):
        screened.score(X, y)


def test_texts_become_objects_and_several_targets_stay_columns(wine):
    X, y = wine
    names = np.array(["a", "b", "c", None], dtype=object)
    labels = names[np.where(np.isnan(y), 3, y).astype(int)]
    screened = ScreenedEstimator(RowScreener(), linear(), on_excluded="nan")
    found = screened.fit(X, labels).predict(X)
    assert set(found[[0, 1, 2]]) <= {"a", "b", "c"}
    assert np.isnan(found[3])
    assert screened.classes_.dtype.kind == "U"
    two = ScreenedEstimator(RowScreener(), Ridge(), on_excluded="nan")
    two.fit(X, np.column_stack([y, X[:, 0]]))
    assert two.predict(X).shape == (178, 2)
    assert two.predict(X[[3]]).shape == (1, 2)


def test_missing_numbers_reach_estimators_that_take_them(wine):
    X, y = wine
    X[7, 0] = np.nan
    trees = HistGradientBoostingClassifier(max_iter=3)
    rules = ["infinite", "range", "label"]
    screened = ScreenedEstimator(RowScreener(rules), trees).fit(X, y)
    assert screened.screener_.excluded_["row"].tolist() == [40, 70, 120]
    repaired = np.where(np.isinf(X), screened.screener_._limits["middle"], X)
    expected = screened.estimator_.predict_proba(repaired)
    assert_array_equal(screened.predict_proba(X), expected)


def test_weights_lose_those_of_excluded_rows(wine, kept):
    X, y = wine
    weight = np.random.default_rng(0).random(len(y))
    ridge = RidgeClassifier()
    screened = ScreenedEstimator(RowScreener(), ridge)
    plain = clone(ridge).fit(X[kept], y[kept], weight[kept])
    found = screened.fit(X, y, sample_weight=weight)
    assert_array_equal(found.estimator_.coef_, plain.coef_)
    pipeline = ScreenedEstimator(RowScreener(), linear())
    pipeline.fit(X, y, logisticregression__sample_weight=weight)
    some = kept[:50]
    assert found.score(X[some], y[some], sample_weight=weight[some]) == plain.score(
        X[some], y[some], weight[some]
    )
    with sklearn.config_context(enable_metadata_routing=True):
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError):
            screened.fit(X, y, sample_weight=weight)
        asking = clone(ridge).set_fit_request(sample_weight=True)
        asking.set_score_request(sample_weight=True)
        routed = ScreenedEstimator(RowScreener(), asking)
        routed.fit(X, y, sample_weight=weight)
        assert_array_equal(routed.estimator_.coef_, plain.coef_)
        routed.score(X[kept], y[kept], sample_weight=weight[kept])


def test_searches_reach_both(wine):
    X, y = wine
    y = np.where(np.isnan(y), 0, y)
    screened = ScreenedEstimator(RowScreener(), linear())
    grid = {
        "screener__margin": [1.0, 5.0],
        "estimator__logisticregression__C": [0.1, 1],
    }
    search = GridSearchCV(screened, grid, cv=3, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.9
    scores = cross_val_score(
        make_pipeline(ScreenedEstimator(RowScreener(), StandardScaler()), linear()),
        np.nan_to_num(X, posinf=1e4),
        y,
        error_score="raise",
    )
    assert scores.mean() > 0.9


def test_tables_of_all_kinds_go_through(wine):
    X, y = wine
    table = pd.DataFrame(X).add_prefix("x")
    table["kind"] = np.where(np.arange(178) % 2, "a", "b")
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_exclude="number")),
    )
    model = make_pipeline(columns, LogisticRegression())
    screened = ScreenedEstimator(RowScreener(), model).fit(table, y)
    before = table.copy()
    assert screened.predict(table).shape == (178,)
    pd.testing.assert_frame_equal(table, before)
    assert_array_equal(screened.feature_names_in_, table.columns)
    table["whole"] = pd.array([None, *range(177)], dtype="Int64")
    assert (
        len(ScreenedEstimator(RowScreener(), model).fit(table, y).predict(table)) == 178
    )


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_rows_stay_sparse(wine, kind):
    X, y = wine
    screened = ScreenedEstimator(
        RowScreener(), TruncatedSVDReducer(2), on_excluded="nan"
    ).fit(kind(X), y)
    codes = screened.transform(kind(X))
    assert np.isnan(codes[[3, 40, 70]]).all()
    screened.set_params(on_excluded="predict")
    dense = ScreenedEstimator(RowScreener(), TruncatedSVDReducer(2)).fit(X, y)
    assert_allclose(screened.transform(kind(X)), dense.transform(X), rtol=1e-6)


def test_transformers_say_what_they_said(wine, kept):
    X, _ = wine
    table = pd.DataFrame(X).add_prefix("x")
    screened = ScreenedEstimator(RowScreener(), StandardScaler(), on_excluded="nan")
    frame = screened.set_output(transform="pandas").fit(table).transform(table)
    assert_array_equal(frame.columns, screened.get_feature_names_out())
    assert frame.isna().all(axis=1).to_numpy().nonzero()[0].tolist() == [3, 40, 70]
    back = screened.inverse_transform(screened.estimator_.transform(table.loc[[0]]))
    assert_allclose(back, X[[0]])
    assert not hasattr(screened, "predict")
    codes = ScreenedEstimator(
        RowScreener(), OneHotEncoder(handle_unknown="ignore"), on_excluded="nan"
    )
    with pytest.raises(TypeError, match="needs dense output"):
        codes.fit(X).transform(X)


def test_any_detector_screens(wine):
    X, y = wine
    X, y = np.nan_to_num(X, posinf=0), np.nan_to_num(y)
    forest = IsolationForest(contamination=0.1, random_state=0)
    screened = ScreenedEstimator(forest, linear(), on_excluded="raise").fit(X, y)
    is_kept = screened.screener_.predict(X) == 1
    assert len(screened.predict(X[is_kept])) == is_kept.sum()
    with pytest.raises(ValueError, match="Got 18 of 178: rows"):
        screened.predict(X)


def test_streams_screen_each_chunk(wine):
    X, y = wine
    y = np.where(np.isnan(y), 0, y)
    learner = SGDClassifier(random_state=0)
    screened = ScreenedEstimator(RowScreener(["missing", "infinite"]), learner)
    screened.partial_fit(np.full((2, 13), np.nan), [0, 0], classes=[0, 1, 2])
    for start in range(0, 178, 60):
        part = slice(start, start + 60)
        weight = np.ones(len(y[part]))
        screened.partial_fit(X[part], y[part], classes=[0, 1, 2], sample_weight=weight)
    assert screened.screener_.n_samples_seen_ == 180
    assert len(screened.predict(X)) == 178
    plain = ScreenedEstimator(RowScreener(), KNeighborsClassifier())
    assert not hasattr(plain, "partial_fit")


def test_samplers_of_imbalanced_learn_drop_rows(wine, kept):
    X, y = wine
    pipeline = make_resampling_pipeline(RowScreener(), StandardScaler(), linear())
    pipeline.fit(X, y)
    expected = make_pipeline(StandardScaler(), linear()).fit(X[kept], y[kept])
    assert_array_equal(pipeline.predict(X[kept]), expected.predict(X[kept]))
    assert_array_equal(pipeline[0].sample_indices_, kept)
    table = pd.DataFrame(X).add_prefix("x")
    rows, labels = RowScreener().fit_resample(table, pd.Series(y))
    assert_array_equal(rows.index, kept)
    assert_array_equal(labels.index, kept)


@pytest.fixture(name="net", scope="module")
def screened_net():
    X, y = load_digits(return_X_y=True)
    X = X[:400] / 16
    X[3] = np.nan
    net = SparseNetClassifier((16,), learning_rate=0.03, random_state=0)
    reduced = make_pipeline(TruncatedSVDReducer(8), net)
    return ScreenedEstimator(RowScreener(), reduced).fit(X, y[:400]), X, y[:400]


def test_files_and_pickles_hold_the_same(net):
    screened, X, _ = net
    assert untrusted_types(screened) == []
    for twin in (through_skops(screened), pickle.loads(pickle.dumps(screened))):
        assert_array_equal(twin.predict_proba(X), screened.predict_proba(X))
        assert set(twin.screener_.excluded_["row"].tolist()) == {3}


def test_copies_for_prediction_keep_the_rules_alone(net):
    screened, X, _ = net
    slim = for_prediction(screened)
    assert_array_equal(slim.predict_proba(X), screened.predict_proba(X))
    assert len(pickle.dumps(slim)) < len(pickle.dumps(screened)) / 4
    slim.set_params(on_excluded="nan")
    assert np.isnan(slim.predict(X)[3])
    assert hasattr(screened.screener_, "_state")


def test_reports_and_attributions_see_through(net):
    screened, X, y = net
    report = compression_report({"net": screened}, X[4:], y[4:])
    plain = compression_report({"net": screened.estimator_}, X[4:], y[4:])
    assert report.loc["net", "multiply_adds"] == plain.loc["net", "multiply_adds"]
    found = attribute(screened, X[4:14])
    assert_allclose(
        found.features, attribute(screened.estimator_, X[4:14]).features, rtol=1e-6
    )


def test_compressors_go_inside(net):
    screened, X, y = net
    with pytest.raises(TypeError, match="inside of a ScreenedEstimator"):
        NetPruner(screened).fit(X, y)
    with pytest.raises(TypeError, match="inside of a ScreenedEstimator"):
        NetPruner(make_pipeline(StandardScaler(), screened)).fit(X, y)
    pruned = ScreenedEstimator(
        RowScreener(), NetPruner(screened.estimator, amount=0.5, fine_tune_epochs=0)
    ).fit(X, y)
    assert pruned.score(X, y) > 0.5


@pytest.mark.parametrize("n_weights", [-4, -1, 1])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_weights_are_one_per_row_that_is_given(wine, method, n_weights):
    X, y = wine
    model = ScreenedEstimator(RowScreener(), SGDClassifier(), on_excluded="raise")
    weights = np.ones(len(X) + n_weights)
    if method == "score":
        model.set_params(on_excluded="nan").fit(X, y)
    given = {"classes": np.unique(y[:100])} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match=f"each of the {len(X)} rows"):
        getattr(model, method)(X, y, sample_weight=weights, **given)
