"""partial_fit and warm_start: training on from where a net stands."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sksparse_nn import SparseNetClassifier, SparseNetRegressor


def classifier(**parameters):
    given = {"learning_rate": 0.02, "max_epochs": 5, "random_state": 0} | parameters
    return SparseNetClassifier((8,), **given)


def test_partial_fits_add_up_to_a_fit(blobs):
    X, y = blobs
    fitted = classifier(batch_size=16, dropout=0.2)
    streamed = classifier(batch_size=16)
    for _ in range(20):
        streamed.partial_fit(X, y, classes=[0, 1, 2])
    assert streamed.n_iter_ == len(streamed.history_["train_loss"]) == 20
    assert (
        streamed.score(X, y)
        >= fitted.set_params(max_epochs=20).fit(X, y).score(X, y) - 0.1
    )


def test_the_optimizer_goes_on_through_partial_fits(blobs):
    X, y = blobs
    net = classifier()
    for n_steps in (1, 2, 3):
        net.partial_fit(X, y, classes=[0, 1, 2])
        states = net.net_.optimizer_.state.values()
        assert {int(state["step"]) for state in states} == {n_steps}


def test_a_fit_is_continued_by_partial_fit(blobs):
    X, y = blobs
    net = classifier().fit(X, y).partial_fit(X[:10], y[:10])
    assert net.n_iter_ == 6
    assert net.history_["epoch"].tolist() == [1, 2, 3, 4, 5, 6]


def test_batches_may_lack_classes(blobs):
    X, y = blobs
    net = classifier().partial_fit(X[y == 1], y[y == 1], classes=[0, 1, 2])
    for _ in range(30):
        for label in (0, 1, 2):
            net.partial_fit(X[y == label], y[y == label])
    assert_array_equal(net.classes_, [0, 1, 2])
    assert net.score(X, y) > 0.7


def test_one_row_at_a_time_is_learnt_from(line):
    X, y = line
    net = SparseNetRegressor((8,), learning_rate=0.02, random_state=0)
    net.partial_fit(X[:40], y[:40])
    for i in range(40, 120):
        net.partial_fit(X[i : i + 1], y[i : i + 1])
    assert net.score(X, y) > 0.3


def test_the_first_partial_fit_needs_the_classes(blobs):
    with pytest.raises(ValueError, match="classes must be passed"):
        classifier().partial_fit(*blobs)


def test_a_label_that_was_not_announced_is_refused(blobs):
    X, y = blobs
    net = classifier().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"only the classes .* Got \[5\]"):
        net.partial_fit(X, np.where(y == 2, 5, y))


def test_the_learning_rate_can_change_between_partial_fits(blobs):
    X, y = blobs
    net = classifier().partial_fit(X, y, classes=[0, 1, 2])
    weight = net.net_.module_[0].weight.detach().clone()
    net.set_params(learning_rate=1e-9).partial_fit(X, y)
    assert torch.allclose(net.net_.module_[0].weight, weight, atol=1e-7)


def test_early_stopping_is_no_matter_of_partial_fit(blobs):
    X, y = blobs
    net = classifier(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])
    assert "valid_loss" not in net.history_


def test_a_cold_start_forgets(blobs):
    X, y = blobs
    net = classifier().fit(X, y)
    expected = net.predict_proba(X)
    assert_array_equal(net.fit(X, y).predict_proba(X), expected)
    assert net.n_iter_ == 5


def test_a_warm_start_continues(blobs):
    X, y = blobs
    net = classifier(warm_start=True, max_epochs=10, batch_size=-1).fit(X, y)
    first = net.history_["train_loss"][-1]
    net.fit(X, y)
    assert net.n_iter_ == 20
    assert net.history_["train_loss"][10] <= first


def test_a_warm_start_takes_new_parameters(blobs):
    X, y = blobs
    net = classifier(warm_start=True).fit(X, y)
    weight = net.net_.module_[0].weight.detach().clone()
    net.set_params(learning_rate=1e-9).fit(X, y)
    assert torch.allclose(net.net_.module_[0].weight, weight, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda net, X, y: net.fit(X[:, :3], y), "3 features"),
        (lambda net, X, y: net.fit(X, y + 1), "only the classes"),
        (lambda net, X, y: net.fit(X[y > 0], y[y > 0]), "needs all of the classes"),
        (
            lambda net, X, y: net.set_params(hidden_layer_sizes=(9,)).fit(X, y),
            "hidden_layer_sizes",
        ),
    ],
    ids=["width", "new class", "class missing", "layers"],
)
def test_a_warm_start_refuses_another_problem(blobs, change, message):
    X, y = blobs
    net = classifier(warm_start=True).fit(X, y)
    expected = net.predict_proba(X)
    with pytest.raises(ValueError, match=message):
        change(net, X, y)
    assert_array_equal(net.predict_proba(X), expected)


def test_a_regressor_refuses_another_number_of_outputs(line):
    X, y = line
    net = SparseNetRegressor(warm_start=True, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="n_outputs=1"):
        net.fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="n_outputs=1"):
        net.partial_fit(X, np.column_stack([y, y]))


def test_a_net_is_not_fitted_before_fit(blobs):
    net = classifier()
    with pytest.raises(NotFittedError):
        check_is_fitted(net)
    for method in (net.predict, net.predict_proba):
        with pytest.raises(NotFittedError):
            method(blobs[0])


@pytest.mark.parametrize("n_first", [1, 7])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_targets_that_vary_later_are_learnt_then(line, n_first, offset):
    X, y = line
    net = SparseNetRegressor((8,), learning_rate=0.02, random_state=0)
    y = np.stack([y, offset + y], axis=1)
    constant = y[:n_first].copy()
    constant[:, 1] = offset
    net.partial_fit(X[:n_first], constant)
    for _ in range(60):
        net.partial_fit(X, y)
    assert net.score(X, y) > 0.9


def test_a_second_row_is_a_scale_too(line):
    X, y = line
    net = SparseNetRegressor((8,), learning_rate=0.02, random_state=0)
    net.partial_fit(X[:1], y[:1])
    for _ in range(60):
        for rows in (slice(1, 2), slice(2, None)):
            net.partial_fit(X[rows], y[rows])
    assert net.score(X, y) > 0.8


def test_a_warm_start_learns_targets_that_were_constant(line):
    X, y = line
    net = SparseNetRegressor(
        (8,), learning_rate=0.02, max_epochs=60, warm_start=True, random_state=0
    )
    assert_array_equal(net.fit(X, np.full(len(y), 3.0)).predict(X), 3)
    assert net.fit(X, y).score(X, y) > 0.9
