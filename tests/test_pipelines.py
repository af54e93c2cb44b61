"""Estimators of the package inside scikit-learn's tools."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sksparse_nn import (
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)
from tests.estimators import SEEDED, name_of

REDUCERS = {
    "svd": TruncatedSVDReducer(8),
    "svd of groups": TruncatedSVDReducer(4, groups=32),
    "sparse codes": SparseDictionaryCoder(
        32, algorithm="omp", n_nonzero_coefs=4, max_epochs=2
    ),
    "dense codes": SparseDictionaryCoder(32, max_epochs=2, sparse_output=False),
}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:500], y[:500]


@pytest.fixture(params=REDUCERS)
def pipeline(request):
    reducer = clone(REDUCERS[request.param]).set_params(random_state=0)
    net = SparseNetClassifier((32,), learning_rate=0.02, random_state=0)
    return make_pipeline(reducer, MaxAbsScaler(), net)


def test_a_pipeline_learns(pipeline, digits):
    X, y = digits
    assert pipeline.fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.6


@pytest.mark.parametrize("X_type", [np.float32, np.float64, np.uint8, "csr", "frame"])
def test_a_pipeline_takes_any_input(pipeline, digits, X_type):
    X, y = digits
    if X_type == "csr":
        X = sparse.csr_array(X)
    elif X_type == "frame":
        X = pd.DataFrame(X).rename(columns="pixel{}".format)
    else:
        X = X.astype(X_type)
    assert pipeline.fit(X, y).predict_proba(X[:5]).shape == (5, 10)


def test_one_row_is_predicted_as_among_others(pipeline, digits):
    X, y = digits
    pipeline.fit(X, y)
    together = pipeline.predict_proba(X[:20])
    alone = np.vstack([pipeline.predict_proba(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_pickle_and_joblib_keep_every_bit(pipeline, digits, tmp_path):
    X, y = digits
    expected = pipeline.fit(X, y).predict_proba(X)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    for copy in (
        pickle.loads(pickle.dumps(pipeline)),
        joblib.load(tmp_path / "pipeline.joblib"),
    ):
        assert_array_equal(copy.predict_proba(X), expected)


def test_clones_carry_the_parameters(pipeline):
    assert repr(clone(pipeline)) == repr(pipeline)


def test_cross_validation_runs(pipeline, digits):
    scores = cross_validate(pipeline, *digits, cv=3)["test_score"]
    assert np.all(scores > 0.5)


def test_two_processes_search_as_one(pipeline, digits):
    name = pipeline.steps[0][0]
    grid = {f"{name}__n_components": [4, 8], f"{name}__random_state": [0]}
    one, two = (
        GridSearchCV(clone(pipeline), grid, cv=2, n_jobs=n, refit=False).fit(*digits)
        for n in (1, 2)
    )
    assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )


def test_sparsity_is_searched(digits):
    pipeline = make_pipeline(
        SparseDictionaryCoder(32, algorithm="omp", max_epochs=2, random_state=0),
        MaxAbsScaler(),
        SparseNetClassifier((32,), learning_rate=0.02, random_state=0),
    )
    grid = {"sparsedictionarycoder__n_nonzero_coefs": [1, 32]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(*digits)
    assert np.all(search.cv_results_["mean_test_score"] > 0.5)
    best = search.best_params_["sparsedictionarycoder__n_nonzero_coefs"]
    codes = search.best_estimator_[0].transform(digits[0])
    assert np.diff(codes.indptr).max() == best


@pytest.mark.parametrize("name", ["svd", "svd of groups", "dense codes"])
def test_pandas_output_has_the_names_of_the_features(digits, name):
    reducer = clone(REDUCERS[name]).set_output(transform="pandas")
    frame = reducer.fit_transform(digits[0])
    assert isinstance(frame, pd.DataFrame)
    assert_array_equal(frame.columns, reducer.get_feature_names_out())


CODERS = [
    estimator
    for estimator in SEEDED
    if getattr(estimator, "sparse_output", False) and not estimator.verbose
]


@pytest.mark.filterwarnings("ignore:n_components=:UserWarning")
@pytest.mark.parametrize("coder", CODERS, ids=name_of)
def test_a_table_of_sparse_codes_is_refused_with_the_way_out(digits, coder):
    X = digits[0][:60]
    coder = clone(coder).fit(X).set_output(transform="pandas")
    for code in (coder.transform, coder.fit_transform):
        with pytest.raises(ValueError, match="set sparse_output=False"):
            code(X)
    frame = coder.set_params(sparse_output=False).transform(X)
    assert_array_equal(frame.columns, coder.get_feature_names_out())
    coder.set_params(sparse_output=True).set_output(transform="default")
    assert_array_equal(frame, coder.transform(X).toarray())


def test_pandas_output_reaches_the_net(digits):
    X, y = digits
    frame = pd.DataFrame(X).rename(columns="pixel{}".format)
    pipeline = make_pipeline(
        TruncatedSVDReducer(8, groups=32), SparseNetClassifier((16,), max_epochs=2)
    ).set_output(transform="pandas")
    pipeline.fit(frame, y)
    assert len(pipeline[-1].feature_names_in_) == 16


def test_a_regression_pipeline_learns():
    X = load_digits().data
    pipeline = make_pipeline(
        SparseDictionaryCoder(
            64, algorithm="omp", n_nonzero_coefs=8, max_epochs=3, random_state=0
        ),
        MaxAbsScaler(),
        SparseNetRegressor((64,), learning_rate=0.01, random_state=0),
    )
    assert pipeline.fit(X[:1400], X[:1400, 20]).score(X[1400:], X[1400:, 20]) > 0.5


def test_parameters_are_set_through_the_pipeline(digits):
    pipeline = make_pipeline(TruncatedSVDReducer(8), SparseNetClassifier(max_epochs=1))
    pipeline.set_params(truncatedsvdreducer__n_components=3)
    assert pipeline.fit(*digits)[0].components_.shape == (3, 64)
