"""Any number of labels per row: indicators in, probabilities of each label out."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_classifier_multioutput
from skorch.callbacks import EpochScoring

from sksparse_nn import (
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    SparsitySearchCV,
)
from sksparse_nn.neural._evaluation import mean_loss
from tests.neural.instances import NETS

CLASSIFIERS = [net for net in NETS if isinstance(net, SparseNetClassifier)]


def classifier(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 10, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given)


@pytest.fixture(scope="module")
def labelled():
    X, y = make_multilabel_classification(300, n_classes=4, random_state=0)
    return StandardScaler().fit_transform(X), y


def cross_entropy(proba, y, weight=None, smoothing=0.0):
    """Average over labels, then over rows with their weights."""
    target = (1 - smoothing) * y + smoothing / 2
    proba = proba.astype(np.float64)
    losses = -target * np.log(proba) - (1 - target) * np.log(1 - proba)
    return np.average(losses.mean(axis=1), weights=weight)


@pytest.mark.parametrize("net", CLASSIFIERS)
def test_scikit_learns_check_of_several_outputs(net):
    # Many steps make logits so large that their probabilities are rounded to ones, and
    # the check compares ranks.
    few_steps = clone(net).set_params(random_state=0, batch_size=-1)
    check_classifier_multioutput("net", few_steps)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_quality_is_that_of_a_perceptron(labelled):
    X, y = labelled
    ours = SparseNetClassifier((32,), learning_rate=0.01, batch_size=32, random_state=0)
    peer = MLPClassifier((32,), max_iter=50, learning_rate_init=0.01, random_state=0)
    peer.set_params(batch_size=32, n_iter_no_change=50)
    areas = [
        roc_auc_score(y[200:], net.fit(X[:200], y[:200]).predict_proba(X[200:]))
        for net in (ours, peer)
    ]
    assert areas[0] > areas[1] - 0.02


def test_what_is_said_of_a_row_agrees(labelled):
    X, y = labelled
    net = classifier().fit(X, y)
    logits, proba = net.decision_function(X), net.predict_proba(X)
    assert logits.shape == proba.shape == (300, 4)
    assert_allclose(proba, expit(logits), rtol=1e-12)
    assert_allclose(net.predict_log_proba(X), np.log(proba), rtol=1e-9, atol=1e-15)
    assert_array_equal(net.predict(X), logits > 0)
    assert_array_equal(net.classes_, range(4))
    assert net.n_outputs_ == 4
    assert net.score(X, y) == accuracy_score(y, net.predict(X))


def test_log_probabilities_are_finite_where_probabilities_are_zero(labelled):
    X, y = labelled
    logs = classifier().fit(X, y).predict_log_proba(1e4 * X)
    assert np.isfinite(logs).all()
    assert logs.min() < -1000


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_loss_is_the_cross_entropy_of_each_label(labelled, smoothing, is_weighted):
    X, y = labelled
    weight = np.random.default_rng(0).uniform(0.5, 2, 300) if is_weighted else None
    net = classifier(label_smoothing=smoothing, learning_rate=1e-12, max_epochs=1)
    net.set_params(batch_size=300).fit(X, y, sample_weight=weight)
    wanted = cross_entropy(net.predict_proba(X), y, weight, smoothing)
    assert_allclose(net.history_["train_loss"][0], wanted, rtol=1e-7)


CONTAINERS = {
    "bool": lambda y: y.astype(bool),
    "float": lambda y: y.astype(float),
    "lists": lambda y: y.tolist(),
    "DataFrame": pd.DataFrame,
    "CSR array": sparse.csr_array,
    "CSR matrix": sparse.csr_matrix,
    "CSC": sparse.csc_array,
    "COO": sparse.coo_array,
    "bools in CSR": lambda y: sparse.csr_array(y.astype(bool)),
    "zeros stored": lambda y: stored_zeros(sparse.csr_array(y)),
}


def stored_zeros(y):
    return sparse.csr_array(
        (
            np.r_[y.data, 0, 0],
            np.r_[y.indices, 0, 1],
            np.r_[y.indptr[:-1], y.nnz + 2],
        ),
        shape=y.shape,
    )


@pytest.mark.parametrize("name", CONTAINERS)
def test_an_indicator_may_come_in_any_container(labelled, name):
    X, y = labelled
    expected = classifier().fit(X, y)
    net = classifier().fit(X, CONTAINERS[name](y))
    assert_array_equal(net.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
def test_sparse_labels_are_answered_sparsely(labelled, kind):
    X, y = labelled
    expected = classifier().fit(X, y)
    net = classifier().fit(X, kind(y))
    found = net.predict(X)
    assert type(found) is kind
    assert_array_equal(found.toarray(), expected.predict(X))
    assert net.score(X, kind(y)) == expected.score(X, y)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_rows_of_weight_zero_are_as_if_absent(labelled, kind):
    X, y = labelled
    weight = (np.arange(300) % 3 > 0).astype(float)
    weighted = classifier().fit(X, kind(y), sample_weight=weight)
    left_out = classifier().fit(X[weight > 0], y[weight > 0])
    assert_array_equal(weighted.predict_proba(X), left_out.predict_proba(X))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("class_weight", [None, "balanced", {1: 5.0}])
def test_integer_weights_are_repetitions(labelled, class_weight, early_stopping):
    X, y = labelled
    weight = np.random.default_rng(0).integers(0, 4, 300)
    net = classifier(class_weight=class_weight, early_stopping=early_stopping)
    net.set_params(batch_size=2000)
    weighted = net.fit(X, y, sample_weight=weight).predict_proba(X)
    repeated = net.fit(X.repeat(weight, axis=0), y.repeat(weight, axis=0))
    assert_allclose(weighted, repeated.predict_proba(X), rtol=1e-7)


def test_weights_of_labels_multiply_the_losses_of_rows_that_have_them(labelled):
    X, y = labelled
    sample_weight = np.random.default_rng(0).uniform(0.5, 2, 300)
    net = classifier(class_weight={0: 3.0, 2: 0.0}, learning_rate=1e-12, max_epochs=1)
    net.set_params(batch_size=300).fit(X, y, sample_weight=sample_weight)
    proba = net.predict_proba(X)
    losses = -y * np.log(proba) - (1 - y) * np.log(1 - proba)
    weight = sample_weight[:, None] * np.where(y, [3.0, 1.0, 0.0, 1.0], 1.0)
    wanted = np.average(losses, weights=weight)
    assert_allclose(net.history_["train_loss"][0], wanted, rtol=1e-7)


def test_balanced_labels_count_as_much_as_their_absence(labelled):
    X, y = labelled
    sample_weight = np.random.default_rng(0).uniform(0.5, 2, 300)
    net = classifier(class_weight="balanced", learning_rate=1e-12, max_epochs=1)
    net.set_params(batch_size=300).fit(X, y, sample_weight=sample_weight)
    proba = net.predict_proba(X)
    losses = [
        np.average(losses[y[:, label] == has, label], weights=weights)
        for has, losses in ((0, -np.log(1 - proba)), (1, -np.log(proba)))
        for label in range(4)
        for weights in [sample_weight[y[:, label] == has]]
    ]
    assert_allclose(net.history_["train_loss"][0], np.mean(losses), rtol=1e-7)


@pytest.mark.parametrize("batch_size", [8, 256])
def test_balanced_weights_find_rare_labels(batch_size):
    rng = np.random.default_rng(0)
    y = np.stack([np.arange(1000) % 20 == 0, np.arange(1000) % 2 == 0], axis=1)
    X = rng.standard_normal((1000, 4)) + 1.2 * y @ rng.standard_normal((2, 4))
    plain, balanced = (
        classifier(class_weight=weight, batch_size=batch_size).fit(X, y).predict(X)
        for weight in (None, "balanced")
    )
    assert balanced[y[:, 0], 0].mean() > plain[y[:, 0], 0].mean() + 0.2


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0}])
def test_labels_that_all_rows_or_none_have_are_learnt(labelled, class_weight):
    X, y = labelled
    y = np.column_stack([y[:, 0], np.zeros(300, int), np.ones(300, int)])
    net = classifier(class_weight=class_weight, max_epochs=40).fit(X, y)
    assert_array_equal(net.predict(X)[:, 1:], y[:, 1:])


def test_rows_without_any_label_are_rows_as_others(labelled):
    X, y = labelled
    y = np.where(X[:, :1] > 0, y, 0)
    found = classifier(max_epochs=60).fit(X, y).predict(X)
    assert accuracy_score(y, found) > 0.6
    assert np.mean(found[X[:, 0] < 0] == 0) > 0.9


def test_one_column_is_no_indicator_but_labels(labelled):
    X, y = labelled
    with pytest.warns(DataConversionWarning, match="column-vector"):
        net = classifier().fit(X, y[:, :1])
    assert net.predict(X).shape == (300,)


def with_entry(y, value):
    y = y.astype(float)
    y[0, 0] = value
    return y


BAD_TARGETS = {
    "two": (lambda y: with_entry(y, 2), "indicator of several labels"),
    "minus ones": (lambda y: 2 * y - 1, "must be zeros and ones"),
    "NaN": (lambda y: with_entry(y, np.nan), "zeros and ones only"),
    "twos in CSR": (lambda y: 2 * sparse.csr_array(y), "must be zeros and ones"),
    "a row too few": (lambda y: y[1:], "inconsistent"),
    "three dimensions": (lambda y: y[:, :, None], "y should be a 1d array|dim"),
}


@pytest.mark.parametrize("name", BAD_TARGETS)
def test_what_is_no_indicator_is_refused(labelled, name):
    X, y = labelled
    change, message = BAD_TARGETS[name]
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, change(y))


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: -1.0}, "negative"),
        ({"a": 1.0}, "not in class_weight|class"),
        ({7: 2.0}, "not in class_weight"),
    ],
)
def test_useless_class_weights_are_refused(labelled, class_weight, message):
    with pytest.raises(ValueError, match=message):
        classifier(class_weight=class_weight).fit(*labelled)


def test_weights_that_leave_nothing_are_refused(labelled):
    net = classifier(class_weight=dict.fromkeys(range(4), 0.0))
    with pytest.raises(ValueError, match="some label of some row a positive weight"):
        net.fit(labelled[0], np.ones((300, 4), int))


OTHER_PROBLEMS = {
    "labels, then one": (lambda y: y, lambda y: y[:, 0], "column for each of 4"),
    "one, then labels": (lambda y: y[:, 0], lambda y: y, "one label per row"),
    "labels, then fewer": (lambda y: y, lambda y: y[:, :2], "column for each of 4"),
}


@pytest.mark.parametrize("name", OTHER_PROBLEMS)
def test_another_problem_is_refused(labelled, name):
    X, y = labelled
    first, then, message = OTHER_PROBLEMS[name]
    net = classifier(warm_start=True).fit(X, first(y))
    expected = net.predict_proba(X)
    for method in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=message):
            method(X, then(y))
    assert_array_equal(net.predict_proba(X), expected)
    net.set_params(warm_start=False).fit(X, then(y))
    assert net.predict(X).shape == then(y).shape


def test_a_warm_start_continues(labelled):
    net = classifier(warm_start=True).fit(*labelled)
    first = net.history_["train_loss"][-1]
    assert net.fit(*labelled).history_["train_loss"][-1] < first
    assert net.n_iter_ == 20


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_pieces_add_up_to_a_fit(labelled, kind, class_weight):
    X, y = labelled
    net = classifier(class_weight=class_weight)
    for _ in range(15):
        for start in range(0, 300, 50):
            rows = slice(start, start + 50)
            net.partial_fit(X[rows], kind(y[rows]), classes=range(4))
    assert net.score(X, y) > classifier(max_epochs=15).fit(X, y).score(X, y) - 0.1


@pytest.mark.parametrize("classes", [[0, 1], [1, 2, 3, 4], ["a", "b", "c", "d"]])
def test_the_first_piece_must_announce_the_columns(labelled, classes):
    net = classifier()
    with pytest.raises(ValueError, match="positions, 0 to 3"):
        net.partial_fit(*labelled, classes=classes)
    assert not hasattr(net, "classes_")


def test_a_piece_may_be_one_row(labelled):
    X, y = labelled
    net = classifier().partial_fit(X[:1], y[:1].tolist(), classes=range(4))
    assert net.partial_fit(X[1:2], sparse.csr_array(y[1:2])).predict(X).shape == (
        300,
        4,
    )


def test_early_stopping_goes_back_to_the_lowest_loss(labelled):
    net = classifier(early_stopping=True, max_epochs=100, learning_rate=0.1)
    losses = net.fit(*labelled).history_["valid_loss"].tolist()
    assert len(losses) < 100
    assert np.argmin(losses) == len(losses) - 6


def test_scores_of_callbacks_are_those_of_the_indicator(labelled):
    scoring = EpochScoring(
        "accuracy", name="right", on_train=True, lower_is_better=False
    )
    net = classifier(callbacks=[scoring], learning_rate=1e-12, batch_size=300)
    net.fit(*labelled)
    assert_allclose(net.history_["right"][-1], net.score(*labelled))


def test_the_mean_loss_is_the_cross_entropy(labelled):
    X, y = labelled
    net = classifier().fit(X, y)
    wanted = cross_entropy(net.predict_proba(X), y)
    for kind in (np.asarray, sparse.csr_array):
        assert_allclose(mean_loss(net, X, kind(y)), wanted, rtol=1e-6)


def test_it_is_searched_and_cross_validated(labelled):
    X, y = labelled
    model = make_pipeline(StandardScaler(), classifier())
    scores = cross_val_score(model, X, y, cv=3, scoring="roc_auc_ovr")
    assert scores.mean() > 0.7
    grid = {"sparsenetclassifier__learning_rate": [1e-9, 0.02]}
    search = GridSearchCV(model, grid, cv=2).fit(X, sparse.csr_array(y))
    assert search.best_params_["sparsenetclassifier__learning_rate"] == 0.02
    assert (
        search.predict_proba(X).shape == search.decision_function(X).shape == (300, 4)
    )


def test_the_sparsity_is_searched(labelled):
    coder = SparseDictionaryCoder(16, algorithm="omp", max_epochs=1, random_state=0)
    model = make_pipeline(coder, classifier())
    grid = {"sparsedictionarycoder__n_nonzero_coefs": [1, 8]}
    search = SparsitySearchCV(model, grid, cv=2, scoring="f1_micro").fit(*labelled)
    assert search.best_score_ > 0.5
    assert search.predict(labelled[0]).shape == (300, 4)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_copies_answer_bit_for_bit(labelled, kind):
    X, y = labelled
    net = classifier().fit(X, kind(y))
    for twin in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert_array_equal(twin.predict_proba(X), net.predict_proba(X))
        assert type(twin.predict(X)) is type(net.predict(X))
        twin.partial_fit(X, y)


def test_numbers_of_two_values_stay_numbers(labelled):
    X, y = labelled
    found = SparseNetRegressor((8,), max_epochs=2, random_state=0).fit(X, y).predict(X)
    assert found.dtype == np.float64
    assert len(np.unique(found)) > 2
