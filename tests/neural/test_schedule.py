"""The learning rate over a training, and what is said of one that was too short."""

import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau

from sksparse_nn import SparseNetClassifier, SparseNetRegressor

SHORT = "Training has not converged"


class Rates(Callback):
    """Note the learning rate of every step."""

    def __init__(self, seen):
        self.seen = seen

    def on_batch_end(self, net, training=None, **kwargs):
        if training:
            self.seen.append(net.optimizer_.param_groups[0]["lr"])


def rates_of(X, y, **parameters):
    seen = []
    net = SparseNetClassifier(
        (4,), batch_size=30, callbacks=[Rates(seen)], random_state=0, **parameters
    )
    return net.fit(X, y), seen


def test_cosine_falls_along_half_a_cosine(blobs):
    _, rates = rates_of(*blobs, scheduler="cosine", max_epochs=4, learning_rate=0.1)
    assert_allclose(rates, 0.05 * (1 + np.cos(np.pi * np.arange(12) / 12)))


def test_one_cycle_rises_for_a_quarter_and_falls_to_zero(blobs):
    _, rates = rates_of(*blobs, scheduler="one_cycle", max_epochs=8, learning_rate=0.1)
    rise = 0.1 - 0.096 * (1 + np.cos(np.pi * np.arange(6) / 6)) / 2
    fall = 0.05 * (1 + np.cos(np.pi * np.arange(18) / 18))
    assert_allclose(rates, [*rise, *fall])


def test_a_scheduler_of_torch_is_asked_after_each_epoch(blobs):
    halved = partial(ExponentialLR, gamma=0.5)
    _, rates = rates_of(*blobs, scheduler=halved, max_epochs=3, learning_rate=0.1)
    assert_allclose(rates, np.repeat([0.1, 0.05, 0.025], 3))


@pytest.mark.parametrize(
    "scheduler", ["cosine", "one_cycle", partial(ExponentialLR, gamma=0.5)]
)
def test_a_training_that_goes_on_starts_from_the_full_rate(blobs, scheduler):
    net, _ = rates_of(*blobs, scheduler=scheduler, max_epochs=2, learning_rate=0.1)
    assert net.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(0.1)
    seen = []
    net.set_params(callbacks=[Rates(seen)]).partial_fit(*blobs)
    assert_allclose(seen, 0.1)


def test_an_unknown_schedule_is_refused(blobs):
    with pytest.raises(ValueError, match="scheduler"):
        SparseNetClassifier(scheduler="linear").fit(*blobs)


@pytest.mark.parametrize(
    ("scheduler", "match"),
    [
        (ExponentialLR, "function of the optimizer alone"),
        (lambda optimizer: 3, "must return one of torch's schedulers"),
        (ReduceLROnPlateau, "which needs a loss"),
    ],
)
def test_what_makes_no_scheduler_is_refused(blobs, scheduler, match):
    net = SparseNetClassifier(scheduler=scheduler)
    with pytest.raises(ValueError, match=match):
        net.fit(*blobs)
    assert not hasattr(net, "net_")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_training_that_is_too_short_says_what_to_raise(iris, optimizer):
    net = SparseNetClassifier(batch_size=256, optimizer=optimizer, random_state=0)
    with pytest.warns(ConvergenceWarning, match=SHORT) as caught:
        net.fit(*iris)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    for word in ("max_epochs=50", "max_epochs to 500", "learning_rate=0.001"):
        assert word in str(caught[0].message)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"learning_rate": 0.02},
        {"max_epochs": 400},
        {"optimizer": "sgd"},
        {"max_epochs": 300, "early_stopping": True},
    ],
    ids=str,
)
def test_a_training_that_is_long_enough_says_nothing(iris, parameters):
    size = {"batch_size": 256} if parameters else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SparseNetClassifier(**size, **parameters, random_state=0).fit(*iris)


def test_what_raising_max_epochs_as_told_leads_to_is_silent(iris):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SparseNetClassifier(batch_size=256, max_epochs=500).fit(*iris)


def test_partial_fit_says_nothing(iris):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SparseNetClassifier().partial_fit(*iris, classes=[0, 1, 2])


def test_warm_starts_add_up(iris):
    net = SparseNetClassifier(batch_size=256, warm_start=True, random_state=0)
    with pytest.warns(ConvergenceWarning, match=SHORT):
        net.fit(*iris)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(4):
            net.fit(*iris)
        warnings.simplefilter("error")
        net.fit(*iris)


def test_a_regressor_is_told_too(line):
    X, y = line
    with pytest.warns(ConvergenceWarning, match=SHORT):
        SparseNetRegressor(max_epochs=3, random_state=0).fit(X, y)
