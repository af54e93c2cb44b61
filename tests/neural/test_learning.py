"""What the networks learn, and what they answer."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression

from sksparse_nn import SparseNetClassifier, SparseNetRegressor
from sksparse_nn.modules._spec import ACTIVATIONS
from sksparse_nn.neural._optimizers import OPTIMIZERS


def classifier(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 30, "random_state": 0} | parameters
    return SparseNetClassifier(**given)


def regressor(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 60, "random_state": 0} | parameters
    return SparseNetRegressor(**given)


def test_a_classifier_reads_digits():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    net = SparseNetClassifier((64,), batch_size=64, max_epochs=30, random_state=0)
    assert net.fit(X[:1400], y[:1400]).score(X[1400:], y[1400:]) > 0.85


def test_a_linear_regressor_finds_the_least_squares(line):
    X, y = line
    net = regressor(hidden_layer_sizes=(), max_epochs=400).fit(X, y)
    assert_allclose(net.predict(X), LinearRegression().fit(X, y).predict(X), rtol=1e-3)


@pytest.mark.parametrize("sizes", [(), 8, (8,), [8, 4], np.array([8])])
def test_hidden_layers_have_the_sizes_asked_for(blobs, sizes):
    net = classifier(hidden_layer_sizes=sizes, max_epochs=1).fit(*blobs)
    linear = [m for m in net.net_.module_ if isinstance(m, torch.nn.Linear)]
    assert [layer.out_features for layer in linear[:-1]] == list(np.atleast_1d(sizes))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_learns(blobs, activation):
    assert classifier(activation=activation).fit(*blobs).score(*blobs) > 0.8


@pytest.mark.parametrize("optimizer", [*sorted(OPTIMIZERS), torch.optim.NAdam])
def test_every_optimizer_lowers_the_loss(blobs, optimizer):
    history = classifier(optimizer=optimizer).fit(*blobs).history_["train_loss"]
    assert history[-1] < 0.9 * history[0]


def test_weight_decay_makes_weights_smaller(blobs):
    norms = [
        classifier(weight_decay=decay).fit(*blobs).net_.module_[0].weight.norm().item()
        for decay in (0.0, 1.0)
    ]
    assert norms[1] < 0.9 * norms[0]


def test_dropout_works_in_training_only(blobs):
    X, y = blobs
    net = classifier(dropout=0.5).fit(X, y)
    assert_array_equal(net.predict_proba(X), net.predict_proba(X))
    plain = classifier().fit(X, y)
    assert net.history_["train_loss"][0] != plain.history_["train_loss"][0]


def test_probabilities_of_a_row_sum_to_one(blobs):
    X, y = blobs
    sums = classifier().fit(X, y).predict_proba(X).sum(axis=1)
    assert_allclose(sums, 1, rtol=1e-6)


def test_predictions_do_not_depend_on_other_rows(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    alone = np.vstack([net.predict_proba(X[i : i + 1]) for i in range(len(X))])
    assert_allclose(alone, net.predict_proba(X), rtol=1e-5)


def test_more_rows_than_a_block_are_answered_in_order(blobs, monkeypatch):
    X, y = blobs
    net = classifier(batch_size=8).fit(X, y)
    expected = net.predict_proba(X)
    monkeypatch.setattr("sksparse_nn.modules._run._BLOCK_SIZE", 1)
    assert_allclose(net.predict_proba(X), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["ab", "c", "def"]),
        np.array(["ab", "c", "def"], dtype=object),
        np.array([False, True]),
        np.array([7, -2, 3]),
        np.array([1.0, 2.0]),
    ],
    ids=["text", "object", "bool", "int", "float"],
)
def test_labels_come_back_as_they_went_in(labels):
    rng = np.random.default_rng(0)
    y = labels[np.arange(60) % len(labels)]
    X = rng.standard_normal((60, 3)) + 4 * np.unique(y, return_inverse=True)[1][:, None]
    net = classifier(max_epochs=100).fit(X, y)
    assert_array_equal(net.classes_, np.unique(y))
    assert net.predict(X).dtype == y.dtype
    assert net.score(X, y) > 0.9


def test_a_single_class_is_predicted_everywhere():
    net = classifier().fit(np.eye(4), ["only"] * 4)
    assert_array_equal(net.predict(np.ones((2, 4))), ["only", "only"])
    assert_array_equal(net.predict_proba(np.ones((2, 4))), [[1.0], [1.0]])


@pytest.mark.parametrize("width", [1, 3])
def test_targets_of_several_columns_are_learnt_in_their_own_scales(line, width):
    X, y = line
    Y = np.column_stack([y, 1e6 * X[:, 2], 1e-6 * X[:, 3]])[:, :width]
    net = regressor(max_epochs=200).fit(X, Y)
    assert net.n_outputs_ == width
    assert net.predict(X).shape == Y.shape
    assert net.score(X, Y) > 0.95


def test_a_target_of_one_dimension_is_answered_in_one(line):
    assert regressor().fit(*line).predict(line[0]).shape == line[1].shape


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_the_unit_of_the_target_does_not_matter(line, factor):
    X, y = line
    expected = factor * regressor().fit(X, y).predict(X)
    assert_allclose(regressor().fit(X, factor * y).predict(X), expected, rtol=1e-6)


def test_an_offset_of_the_target_is_not_lost_in_float32(line):
    X, y = line
    X = X.astype(np.float32)
    net = regressor(max_epochs=200).fit(X, y + 1e9)
    assert net.score(X, y + 1e9) > 0.95


@pytest.mark.parametrize("value", [0.0, 3.7, 1e9])
def test_a_constant_target_is_predicted(value):
    X = np.random.default_rng(0).standard_normal((30, 3))
    net = regressor(hidden_layer_sizes=(), max_epochs=300).fit(X, np.full(30, value))
    assert_allclose(net.predict(X), value, rtol=1e-3, atol=0.05)


def test_losses_of_all_epochs_are_in_the_history(blobs):
    net = classifier(max_epochs=4).fit(*blobs)
    assert net.n_iter_ == 4
    assert net.history_["epoch"].tolist() == [1, 2, 3, 4]
    assert set(net.history_) == {"epoch", "train_loss", "dur"}
    assert all(values.shape == (4,) for values in net.history_.values())


def test_nothing_is_printed(blobs, capfd):
    classifier(early_stopping=True).fit(*blobs).predict(blobs[0])
    assert capfd.readouterr() == ("", "")


def test_a_constant_target_is_answered_exactly():
    X = np.random.default_rng(0).standard_normal((50, 4))
    y = np.column_stack([np.full(50, 1e-6), X[:, 0]])
    net = SparseNetRegressor((8,), max_epochs=2, random_state=0).fit(X, y)
    np.testing.assert_allclose(net.predict(X)[:, 0], 1e-6)
