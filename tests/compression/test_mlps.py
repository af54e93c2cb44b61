"""Compressed MLPs keep scikit-learn's contract."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sksparse_nn import NetPruner, NetQuantizer
from sksparse_nn.neural._from_mlp import network_of_mlp
from tests.checks import parametrize_with_checks
from tests.compression.other_networks import LABELS, NUMBERS, X


def _mlp(kind):
    # A generous tolerance ends a training after some fifty epochs, without a warning.
    given = {"tol": 10.0, "n_iter_no_change": 50, "max_iter": 2000}
    return kind(
        hidden_layer_sizes=(20,), learning_rate_init=0.02, random_state=0, **given
    )


@parametrize_with_checks(
    [
        NetQuantizer(_mlp(MLPClassifier)),
        NetPruner(
            _mlp(MLPRegressor), amount=0.3, structure="neuron", fine_tune_epochs=2
        ),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


def test_rows_of_weight_zero_are_as_if_absent():
    weight = (np.arange(300) % 3 > 0).astype(float)
    kept = np.flatnonzero(weight)
    pruner = NetPruner(_mlp(MLPClassifier), amount=0.3, fine_tune_epochs=2)
    found = pruner.fit(X[:100], LABELS[:100], sample_weight=weight[:100])
    found = found.predict_proba(X)
    kept = kept[kept < 100]
    expected = pruner.fit(X[kept], LABELS[kept]).predict_proba(X)
    assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_networks_predict_what_mlps_predict(dtype):
    rows = X.astype(dtype)
    classifier = _mlp(MLPClassifier).fit(rows, LABELS > 4)
    network = network_of_mlp(classifier, LABELS > 4, None)
    probabilities = network.predict_proba(rows)
    assert probabilities.dtype == dtype
    assert_allclose(probabilities, classifier.predict_proba(rows), atol=1e-6)
    assert_array_equal(network.predict(rows), classifier.predict(rows))
    regressor = _mlp(MLPRegressor).fit(rows, NUMBERS.astype(dtype))
    network = network_of_mlp(regressor, NUMBERS.astype(dtype), None)
    assert_allclose(network.predict(rows), regressor.predict(rows), atol=1e-5)
    assert network.predict(rows).dtype == dtype


def test_networks_of_mlps_are_trained_on():
    mlp = _mlp(MLPRegressor).fit(X, NUMBERS)
    network = network_of_mlp(mlp, NUMBERS, None)
    before = network.score(X, NUMBERS)
    for _ in range(20):
        network.partial_fit(X, NUMBERS)
    assert network.score(X, NUMBERS) > before
    assert mlp.score(X, NUMBERS) == pytest.approx(before, abs=1e-5)
