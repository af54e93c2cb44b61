"""Decisions are logits, and agree with what is predicted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.metrics import get_scorer, roc_auc_score

from sksparse_nn import SparseNetClassifier


def classifier(**parameters):
    return SparseNetClassifier((8,), learning_rate=0.02, random_state=0, **parameters)


def test_of_several_classes_they_are_the_logits(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    logits = net.decision_function(X)
    assert logits.shape == (90, 3)
    assert_allclose(softmax(logits, axis=1), net.predict_proba(X), rtol=1e-5)
    assert_array_equal(net.classes_[logits.argmax(axis=1)], net.predict(X))


@pytest.mark.parametrize("names", [[0, 1], ["no", "yes"]])
def test_of_two_classes_they_are_the_log_odds_of_the_second(blobs, names):
    X, y = blobs
    y = np.array(names)[(y == 1).astype(int)]
    net = classifier().fit(X, y)
    decisions = net.decision_function(X)
    assert decisions.shape == (90,)
    assert_allclose(expit(decisions), net.predict_proba(X)[:, 1], rtol=1e-5)
    assert_array_equal(np.array(names)[(decisions > 0).astype(int)], net.predict(X))


def test_they_tell_rows_apart_whose_probabilities_are_both_one(blobs):
    X, y = blobs
    net = classifier().fit(X, y == 1)
    ranked = net.decision_function(1e3 * X)
    assert len(np.unique(ranked)) > len(np.unique(net.predict_proba(1e3 * X)[:, 1]))
    area = get_scorer("roc_auc")(net, 1e3 * X, y == 1)
    assert area == roc_auc_score(y == 1, ranked)


def test_a_single_class_has_a_single_column(blobs):
    X, _ = blobs
    net = classifier().fit(X, np.zeros(90))
    assert net.decision_function(X).shape == (90, 1)
