"""Compressors of networks for several labels, and for each loss of numbers."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    SparseNetRegressor,
    compression_report,
    for_prediction,
)
from sksparse_nn._pipelines import last_step
from sksparse_nn.neural._targets._number_losses import LOSSES

COMPRESSORS = {
    "first order": lambda net: NetPruner(
        net, amount=0.2, criterion="first_order", fine_tune_epochs=2
    ),
    "neurons": lambda net: NetPruner(
        net,
        amount=0.2,
        structure="neuron",
        criterion="first_order",
        fine_tune_epochs=2,
    ),
    "dynamic": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "weights of 8 bits": lambda net: NetQuantizer(net, scheme="weight_only"),
    "answers": NetFactorizer,
    "rank": lambda net: NetFactorizer(net, rank=12, fine_tune_epochs=2),
    "pruned, then integers": lambda net: NetQuantizer(NetPruner(net, amount=0.2)),
}
TARGETS = ["labels", "sparse labels", *LOSSES]

every_compressor = pytest.mark.parametrize(
    "make", COMPRESSORS.values(), ids=COMPRESSORS
)
every_target = pytest.mark.parametrize("target", TARGETS)


@pytest.fixture(scope="module")
def problems():
    """Return rows, targets and a fitted network for each kind of targets."""
    X, labels = make_multilabel_classification(500, n_classes=4, random_state=0)
    X = StandardScaler().fit_transform(X)
    given = {"learning_rate": 0.01, "max_epochs": 40, "random_state": 0}
    given |= {"activation": "tanh"}
    found = {
        "labels": (X, labels, SparseNetClassifier((32,), **given)),
        "sparse labels": (
            X,
            sparse.csr_array(labels),
            SparseNetClassifier((32,), **given),
        ),
    }
    counts = np.random.default_rng(0).poisson(np.exp(1 + 0.3 * X[:, 0] - 0.3 * X[:, 1]))
    for loss in LOSSES:
        quantile = 0.6 if loss == "quantile" else None
        net = SparseNetRegressor((32,), loss=loss, quantile=quantile, **given)
        found[loss] = X, counts.astype(float), net
    return {name: (X, y, net.fit(X, y)) for name, (X, y, net) in found.items()}


def answers(estimator, X):
    """Return what is predicted, as numbers of a common scale."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(X)
    return estimator.predict(X)


@every_target
@every_compressor
def test_answers_are_nearly_kept(problems, make, target):
    X, y, net = problems[target]
    small = make(FrozenEstimator(net)).fit(X, y)
    found, expected = answers(small, X).ravel(), answers(net, X).ravel()
    assert np.corrcoef(found, expected)[0, 1] > 0.9
    assert small.score(X, y) > net.score(X, y) - 0.15
    assert type(small.predict(X)) is type(net.predict(X))
    assert small.predict(X).shape == net.predict(X).shape


@every_target
@every_compressor
def test_copies_answer_bit_for_bit(problems, make, target):
    X, y, net = problems[target]
    small = make(FrozenEstimator(net)).fit(X, y)
    expected = answers(small, X)
    for twin in (pickle.loads(pickle.dumps(small)), for_prediction(small)):
        assert_array_equal(answers(twin, X), expected)


@every_target
@every_compressor
def test_rows_of_weight_zero_are_as_if_absent(problems, make, target):
    X, y, net = problems[target]
    net = clone(net).set_params(max_epochs=3)
    weight = (np.arange(500) % 3 > 0).astype(float)
    kept = np.flatnonzero(weight)
    weighted = make(net).fit(X, y, sample_weight=weight)
    left_out = make(net).fit(X[kept], y[kept])
    # Whether zeros are multiplied is measured anew, and changes the rounding.
    assert_allclose(answers(weighted, X), answers(left_out, X), rtol=1e-6, atol=1e-9)


@every_compressor
def test_decisions_are_those_of_the_smaller_network(problems, make):
    X, y, net = problems["labels"]
    small = make(make_pipeline(StandardScaler(), net)).fit(X, y)
    assert small.decision_function(X).shape == (500, 4)
    assert_array_equal(small.decision_function(X) > 0, small.predict(X))
    assert_allclose(
        1 / (1 + np.exp(-small.decision_function(X))), small.predict_proba(X), 1e-9
    )
    assert_array_equal(small.classes_, range(4))


@every_compressor
def test_decisions_on_two_classes_are_a_number_per_row(problems, make):
    X, y, net = problems["labels"]
    small = make(net).fit(X, y[:, 0])
    assert small.decision_function(X).shape == (500,)
    assert_array_equal(small.decision_function(X) > 0, small.predict(X))


def test_there_are_no_decisions_on_numbers():
    for make in COMPRESSORS.values():
        assert not hasattr(make(SparseNetRegressor()), "decision_function")


@every_target
def test_the_report_scores_as_the_estimator_does(problems, target):
    X, y, net = problems[target]
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    report = compression_report({"float": net, "int8": small}, X, y)
    score = "accuracy" if "labels" in target else "r2"
    assert report[score]["float"] == net.score(X, y)
    assert report[score]["int8"] == small.score(X, y)
    assert report.parameters["float"] == 20 * 32 + 32 + 33 * last_step(net).n_outputs_
