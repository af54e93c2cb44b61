"""Sample weights and class weights, at batches that hold all rows and that do not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import balanced_accuracy_score

from sksparse_nn import SparseNetClassifier, SparseNetRegressor


def classifier(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 10, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given)


def regressor(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 10, "random_state": 0} | parameters
    return SparseNetRegressor((8,), **given)


@pytest.fixture
def unbalanced():
    rng = np.random.default_rng(0)
    y = (np.arange(2000) % 20 == 0).astype(int)
    return rng.standard_normal((2000, 4)) + 1.2 * y[:, None], y


@pytest.mark.parametrize("batch_size", [8, 256])
def test_balanced_weights_help_the_rare_class(unbalanced, batch_size):
    X, y = unbalanced
    scores = [
        balanced_accuracy_score(y[1000:], net.fit(X[:1000], y[:1000]).predict(X[1000:]))
        for net in (
            classifier(batch_size=batch_size, class_weight=weight)
            for weight in (None, "balanced")
        )
    ]
    assert scores[1] > scores[0] + 0.05


def test_balanced_weights_help_at_small_partial_fits(unbalanced):
    X, y = unbalanced
    scores = []
    for weight in (None, "balanced"):
        net = classifier(class_weight=weight)
        for start in range(0, 1000, 8):
            rows = slice(start, start + 8)
            net.partial_fit(X[rows], y[rows], classes=[0, 1])
        scores.append(balanced_accuracy_score(y[1000:], net.predict(X[1000:])))
    assert scores[1] > scores[0] + 0.05


@pytest.mark.parametrize("batch_size", [1, 8, 256])
def test_weights_of_one_change_no_bit(blobs, batch_size):
    X, y = blobs
    net = classifier(batch_size=batch_size)
    expected = net.fit(X, y).predict_proba(X)
    for weight in (np.ones(90), np.full(90, 7.0), 1.0):
        got = net.fit(X, y, sample_weight=weight).predict_proba(X)
        assert_array_equal(got, expected)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1, 1: 5, 2: 2}])
def test_integer_weights_are_repetitions(blobs, class_weight, early_stopping):
    X, y = blobs[0].astype(np.float64), blobs[1]
    weight = np.random.default_rng(0).integers(0, 4, 90)
    net = classifier(
        class_weight=class_weight, early_stopping=early_stopping, batch_size=-1
    )
    weighted = net.fit(X, y, sample_weight=weight).predict_proba(X)
    repeated = net.fit(X.repeat(weight, axis=0), y.repeat(weight)).predict_proba(X)
    assert_allclose(weighted, repeated, rtol=1e-7)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_integer_weights_are_repetitions_in_regression(line, early_stopping):
    X, y = line
    weight = np.random.default_rng(0).integers(0, 3, len(y))
    net = regressor(early_stopping=early_stopping, batch_size=-1)
    weighted = net.fit(X, y, sample_weight=weight).predict(X)
    repeated = net.fit(X.repeat(weight, axis=0), y.repeat(weight)).predict(X)
    assert_allclose(weighted, repeated, rtol=1e-7)


def test_large_weights_draw_the_fit_at_small_batches(line):
    X, _ = line
    y = np.where(np.arange(120) % 2, 1.0, -1.0)
    weight = np.where(y > 0, 9.0, 1.0)
    net = regressor(batch_size=4, max_epochs=30, learning_rate=0.01)
    assert_allclose(net.fit(X, y, weight).predict(X).mean(), 0.8, atol=0.15)


def test_rows_of_weight_zero_are_as_if_absent(blobs):
    X, y = blobs
    weight = (np.arange(90) % 3 > 0).astype(float)
    net = classifier(batch_size=8)
    weighted = net.fit(X, y, sample_weight=weight).predict_proba(X)
    left_out = net.fit(X[weight > 0], y[weight > 0]).predict_proba(X)
    assert_array_equal(weighted, left_out)


def test_a_class_of_weight_zero_is_no_class(blobs):
    X, y = blobs
    net = classifier().fit(X, y, sample_weight=(y > 0).astype(float))
    assert_array_equal(net.classes_, [1, 2])


@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_only_ratios_of_weights_count(blobs, weight):
    X, y = blobs
    expected = classifier().fit(X, y).predict_proba(X)
    scaled = classifier().fit(X, y, sample_weight=np.full(90, weight))
    assert_allclose(scaled.predict_proba(X), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(90), "zero"),
        (np.full(90, -1.0), "[Nn]egative"),
        (np.full(90, np.nan), "NaN"),
        (np.ones(89), "inconsistent|shape"),
    ],
)
def test_useless_sample_weights_are_refused(blobs, weight, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(*blobs, sample_weight=weight)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [({0: -1.0}, "negative"), ({0: 0, 1: 0, 2: 0}, "positive"), ({"a": 1}, "class")],
)
def test_useless_class_weights_are_refused(blobs, class_weight, message):
    with pytest.raises(ValueError, match=message):
        classifier(class_weight=class_weight).fit(*blobs)


def test_the_validation_loss_is_weighted(blobs):
    X, y = blobs
    losses = [
        classifier(early_stopping=True, max_epochs=1, class_weight=weight)
        .fit(X, y)
        .history_["valid_loss"][0]
        for weight in (None, {0: 100.0})
    ]
    assert losses[0] != losses[1]


@pytest.mark.parametrize("is_weighted", [False, True])
def test_smoothed_targets_go_to_all_classes_alike(blobs, is_weighted):
    X, y = blobs
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y)) if is_weighted else None
    net = classifier(label_smoothing=0.3, learning_rate=1e-12, max_epochs=1)
    net.fit(X, y, sample_weight=weight)
    logs = np.log(net.predict_proba(X).astype(np.float64))
    losses = -0.7 * logs[np.arange(len(y)), y] - 0.3 * logs.mean(axis=1)
    wanted = np.average(losses, weights=weight)
    assert_allclose(net.history_["train_loss"][0], wanted, rtol=1e-5)


def test_smoothed_targets_leave_a_model_less_sure(blobs):
    sure, less_sure = (
        classifier(max_epochs=200, learning_rate=0.1, label_smoothing=smoothing)
        .fit(*blobs)
        .predict_proba(blobs[0])
        .max(axis=1)
        for smoothing in (0.0, 0.3)
    )
    assert sure.mean() > 0.95
    assert_allclose(less_sure.mean(), 1 - 0.3 + 0.3 / 3, atol=0.1)
