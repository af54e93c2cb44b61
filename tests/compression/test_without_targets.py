"""Networks that are made smaller from samples alone."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    SparseNetRegressor,
)
from tests.compression.other_networks import LABELS, NETWORKS, X, answers, fitted

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SHORT = {"max_epochs": 2, "random_state": 0}
OURS = {
    "classes": (SparseNetClassifier((8,), **SHORT), LABELS),
    "labels": (SparseNetClassifier((8,), **SHORT), np.eye(10, dtype=int)[LABELS]),
    "numbers": (SparseNetRegressor((8,), **SHORT), LABELS.astype(float)),
}
FREE = {
    "integers": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "factors": lambda net: NetFactorizer(net, amount=0.3),
    "weights": lambda net: NetPruner(net, fine_tune_epochs=0),
    "nested": lambda net: NetQuantizer(NetFactorizer(net)),
}
BOUND = {
    "trained factors": lambda net: NetFactorizer(net, fine_tune_epochs=1),
    "trained weights": NetPruner,
    "first order": lambda net: NetPruner(
        net, criterion="first_order", fine_tune_epochs=0
    ),
}


def of_all(table):
    return pytest.mark.parametrize("make", table.values(), ids=table)


def train(name):
    if name in NETWORKS:
        return fitted(name)
    net, y = OURS[name]
    return make_pipeline(StandardScaler(), net).fit(X, y), X, y


@pytest.fixture(scope="module", params=[*OURS, *NETWORKS])
def given(request):
    return train(request.param)


@of_all(FREE)
def test_samples_are_enough(given, make):
    net, X, y = given
    small = make(FrozenEstimator(net)).fit(X)
    assert_array_equal(
        answers(small, X), answers(make(FrozenEstimator(net)).fit(X, y), X)
    )
    assert hasattr(small, "classes_") == hasattr(net, "classes_")


@of_all(BOUND)
def test_targets_that_are_needed_are_asked_for(given, make):
    net, X, _ = given
    with pytest.raises(ValueError, match="requires y to be passed"):
        make(FrozenEstimator(net)).fit(X)


@of_all(FREE)
def test_a_network_that_is_not_frozen_needs_targets(make):
    with pytest.raises(ValueError, match="requires y to be passed"):
        make(SparseNetClassifier()).fit(X)
