"""The networks inside scikit-learn's tools."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import SparseNetClassifier, SparseNetRegressor


def classifier(**parameters):
    given = {"learning_rate": 0.05, "max_epochs": 15, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given)


META = {
    "AdaBoost": lambda: AdaBoostClassifier(classifier(), n_estimators=3),
    "Bagging": lambda: BaggingClassifier(classifier(), n_estimators=3, random_state=0),
    "Calibrated": lambda: CalibratedClassifierCV(classifier(), cv=3),
    "Stacking": lambda: StackingClassifier(
        [("net", classifier()), ("linear", LogisticRegression())], cv=3
    ),
    "OneVsRest": lambda: OneVsRestClassifier(classifier()),
    "scaled": lambda: make_pipeline(StandardScaler(), classifier()),
}


@pytest.mark.parametrize("name", META)
def test_a_meta_estimator_takes_the_classifier(blobs, name):
    assert META[name]().fit(*blobs).score(*blobs) > 0.8


def test_boosting_takes_the_regressor(line):
    net = SparseNetRegressor((8,), learning_rate=0.05, random_state=0)
    assert AdaBoostRegressor(net, n_estimators=2).fit(*line).score(*line) > 0.7


def test_several_label_columns_go_through_multioutput(blobs):
    X, y = blobs
    Y = np.column_stack([y == 0, y == 1])
    assert MultiOutputClassifier(classifier()).fit(X, Y).score(X, Y) > 0.7


def test_two_processes_search_as_one_does(blobs):
    grid = {"hidden_layer_sizes": [(), (8,)], "l1": [0.0, 0.01]}
    scores = [
        GridSearchCV(classifier(dropout=0.1), grid, cv=3, n_jobs=n_jobs)
        .fit(*blobs)
        .cv_results_["mean_test_score"]
        for n_jobs in (1, 2)
    ]
    assert_array_equal(*scores)


def test_cross_validation_repeats_itself(blobs):
    first, second = (
        cross_validate(classifier(), *blobs, cv=3)["test_score"] for _ in range(2)
    )
    assert_array_equal(first, second)


def test_text_is_classified_behind_tfidf():
    texts = ["red apple", "green apple", "red cherry", "fast car", "slow car", "car"]
    pipeline = make_pipeline(TfidfVectorizer(), classifier(max_epochs=40))
    pipeline.fit(texts, ["fruit"] * 3 + ["machine"] * 3)
    assert_array_equal(pipeline.predict(["apple", "slow"]), ["fruit", "machine"])


def test_data_frames_of_a_pipeline_reach_the_net(blobs):
    X, y = blobs
    pipeline = make_pipeline(StandardScaler(), classifier()).set_output(
        transform="pandas"
    )
    pipeline.fit(X, y)
    assert_array_equal(pipeline[-1].feature_names_in_, [f"x{i}" for i in range(5)])
    assert pipeline.score(X, y) > 0.8


def test_features_can_be_inspected(line):
    X, y = line
    net = SparseNetRegressor((8,), learning_rate=0.05, random_state=0).fit(X, y)
    importances = permutation_importance(net, X, y, n_repeats=3, random_state=0)
    assert importances.importances_mean.argmax() == 0
