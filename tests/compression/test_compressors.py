"""Laws that all compressors keep."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
    for_prediction,
)
from sksparse_nn.modules._pruned import PrunedLinear
from tests.compression.compressors import COMPRESSORS

every_compressor = pytest.mark.parametrize(
    "make", COMPRESSORS.values(), ids=COMPRESSORS
)


@pytest.fixture(scope="module", params=COMPRESSORS.values(), ids=COMPRESSORS)
def small(digits, net, request):
    X, _, y, _ = digits
    return request.param(FrozenEstimator(net)).fit(X, y)


@pytest.mark.parametrize(("share", "is_sparse"), [(0.02, True), (0.1, False)])
def test_counts_alone_decide_whether_a_layer_multiplies_sparse(share, is_sparse):
    torch.manual_seed(0)
    layer = torch.nn.Linear(600, 512)
    with torch.no_grad():
        layer.weight.mul_(torch.rand(512, 600) < share)
        X = torch.randn(7, 600)
        pruned = PrunedLinear(layer)
        assert pruned.runs_sparse is is_sparse
        assert_allclose(pruned(X), layer(X), atol=1e-5)


def test_accuracy_is_nearly_kept(digits, net, small):
    _, X_test, _, y_test = digits
    assert small.score(X_test, y_test) > net.score(X_test, y_test) - 0.05
    assert_allclose(small.predict_proba(X_test).sum(axis=1), 1, rtol=1e-5)
    assert_array_equal(small.classes_, np.arange(10))


def test_a_row_is_answered_by_itself(digits, small):
    X_test = digits[1]
    batch = np.vstack([X_test[:50], 1e3 * X_test[50:60]])
    whole = small.predict_proba(batch)[:50]
    each = np.vstack([small.predict_proba(row[None]) for row in X_test[:50]])
    assert_allclose(whole, each, rtol=1e-4, atol=1e-7)
    assert_array_equal(small.predict(batch)[:50], small.predict(X_test[:50]))


def test_copies_and_what_was_stored_answer_bit_for_bit(digits, small):
    X_test = digits[1]
    expected = small.predict_proba(X_test)
    for twin in (pickle.loads(pickle.dumps(small)), copy.deepcopy(small)):
        assert_array_equal(twin.predict_proba(X_test), expected)
    assert_array_equal(for_prediction(small).predict_proba(X_test), expected)


@every_compressor
def test_the_given_network_is_left_as_it_was(digits, net, make):
    X, X_test, y, _ = digits
    before = net.predict_proba(X_test)
    make(FrozenEstimator(net)).fit(X, y)
    assert_array_equal(net.predict_proba(X_test), before)


@every_compressor
def test_it_is_fitted_behind_a_pipeline_on_what_the_network_sees(digits, make):
    X, X_test, y, y_test = digits
    network = SparseNetClassifier(
        (32,), learning_rate=0.02, max_epochs=6, random_state=0
    )
    pipeline = make_pipeline(TruncatedSVDReducer(40), StandardScaler(), network)
    small = make(pipeline).fit(X, y)
    assert small.n_features_in_ == 64
    assert small.score(X_test, y_test) > 0.85
    again = clone(small).fit(X, y)
    # Whether zeros are multiplied is measured anew, and changes the rounding.
    answers = again.predict_proba(X_test)
    assert_allclose(answers, small.predict_proba(X_test), rtol=1e-3, atol=1e-6)


def test_sparse_rows_are_answered_as_dense_ones(digits, small):
    X, X_test, y, _ = digits
    of_sparse = clone(small).fit(sparse.csr_array(X), y)
    answers = of_sparse.predict_proba(sparse.csr_array(X_test))
    assert_allclose(answers, small.predict_proba(X_test), rtol=1e-3, atol=1e-6)


@every_compressor
def test_float64_stays_float64(digits, make):
    X, _, y, _ = digits
    net = SparseNetClassifier((32,), max_epochs=3, random_state=0)
    small = make(net).fit(X.astype(np.float64), y)
    assert small.predict_proba(X.astype(np.float64)).dtype == np.float64


def test_log_probabilities_are_those_of_the_probabilities(digits):
    X, _, y, _ = digits
    small = NetQuantizer(SparseNetClassifier(max_epochs=1, random_state=0)).fit(X, y)
    for net in (small, small.estimator_):
        found = net.predict_log_proba(1e4 * X)
        assert np.isfinite(found).all()
        assert_allclose(np.exp(found), net.predict_proba(1e4 * X), atol=1e-6)


@pytest.mark.parametrize("make", [NetPruner, NetQuantizer, NetFactorizer])
def test_modules_of_ones_own_keep_what_has_no_matrix(digits, make):
    def module(n_features, n_outputs):
        return torch.nn.Sequential(
            torch.nn.LayerNorm(n_features),
            torch.nn.Linear(n_features, 64),
            torch.nn.BatchNorm1d(64),
            torch.nn.PReLU(),
            torch.nn.Linear(64, n_outputs),
        )

    X, X_test, y, y_test = digits
    net = SparseNetClassifier(
        module=module, learning_rate=0.01, max_epochs=10, random_state=0
    )
    assert make(net).fit(X, y).score(X_test, y_test) > 0.85


def test_it_is_searched_through_all_the_frames(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier((16,), learning_rate=0.02, max_epochs=5, random_state=0)
    small = NetQuantizer(NetPruner(make_pipeline(StandardScaler(), net)))
    grid = {
        "estimator__amount": [0.2, 0.9],
        "estimator__estimator__sparsenetclassifier__max_epochs": [1, 10],
    }
    search = GridSearchCV(small, grid, cv=2).fit(X, y)
    assert search.best_params_["estimator__amount"] == 0.2
    assert search.best_score_ > 0.8


def test_kinds_are_those_of_what_is_inside():
    assert is_classifier(NetPruner(SparseNetClassifier()))
    assert is_regressor(NetQuantizer(make_pipeline(SparseNetRegressor())))
    assert not hasattr(NetPruner(SparseNetRegressor()), "predict_proba")


def test_nothing_is_answered_before_a_fit(digits):
    with pytest.raises(NotFittedError):
        NetPruner(SparseNetClassifier()).predict(digits[0])


def test_sample_weights_reach_the_network(digits):
    X, _, y, _ = digits
    weight = (y < 5).astype(float)
    net = SparseNetClassifier((16,), learning_rate=0.02, max_epochs=10, random_state=0)
    for inner in (net, make_pipeline(StandardScaler(), net)):
        small = NetPruner(inner, amount=0.2).fit(X, y, sample_weight=weight)
        assert np.mean(small.predict(X) < 5) > 0.95


# The report


@pytest.mark.parametrize("compressor", [NetPruner, NetQuantizer, NetFactorizer])
def test_weights_above_zero_copy_no_samples(compressor):
    X = np.random.default_rng(0).random((40_000, 100), np.float32)
    y, weights = np.arange(len(X)) % 2, 1 + np.arange(len(X)) % 2
    net = SparseNetClassifier((4,), max_epochs=1, batch_size=4096, random_state=0)
    compress = compressor(FrozenEstimator(net.fit(X, y)))
    if compressor is NetPruner:
        compress.set_params(fine_tune_epochs=0)
    compress.fit(X[:2000], y[:2000], sample_weight=weights[:2000])
    tracemalloc.start()
    compress.fit(X, y, sample_weight=weights)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.8 * X.nbytes
