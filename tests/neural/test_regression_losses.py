"""What each loss of the regressor measures, and what it predicts."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import xlogy
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor, QuantileRegressor
from sklearn.metrics import d2_pinball_score, d2_tweedie_score
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags

from sksparse_nn import SparseNetRegressor
from sksparse_nn.neural._evaluation import mean_loss
from sksparse_nn.neural._targets._number_losses import LOSSES, make_loss
from sksparse_nn.neural._targets._spreads import weighted_quantiles

QUANTILES = {"quantile": {"quantile": 0.2}}

every_loss = pytest.mark.parametrize("loss", LOSSES)


def regressor(loss, sizes=(8,), **parameters):
    given = {"learning_rate": 0.02, "max_epochs": 20, "random_state": 0}
    given |= QUANTILES.get(loss, {}) | parameters
    return SparseNetRegressor(sizes, loss=loss, **given)


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 4))
    means = np.exp(1 + 0.5 * X[:, 0] - 0.3 * X[:, 1])
    return X, rng.poisson(means).astype(float)


# The naive twins: losses and scales of one column, by the book.


def median(y, weight, quantile=0.5):
    """Repeat by integer weights, and take NumPy's."""
    repeated = np.repeat(y, np.ones(len(y), int) if weight is None else weight)
    return np.quantile(repeated, quantile, method="averaged_inverted_cdf")


def spread(y, weight):
    middle = median(y, weight)
    deviation = 1.4826 * median(np.abs(y - middle), weight)
    return deviation or np.average(np.abs(y - middle), weights=weight)


def squared_error(y, f, weight):
    mean = np.average(y, weights=weight)
    return 0.5 * (y - f) ** 2 / np.average((y - mean) ** 2, weights=weight)


def absolute_error(y, f, weight):
    return np.abs(y - f) / spread(y, weight)


def huber(y, f, weight):
    error = np.abs(y - f) / spread(y, weight)
    return np.where(error < 1.35, error**2 / 2, 1.35 * (error - 1.35 / 2))


def quantile(y, f, weight):
    error = (y - f) / spread(y, weight)
    return np.where(error > 0, 0.2 * error, -0.8 * error)


def poisson(y, f, weight):
    mean = np.average(y, weights=weight)
    variance = np.average((y - mean) ** 2, weights=weight)
    deviance = 2 * (xlogy(y, y / f) - y + f)
    return 0.5 * deviance / mean / min(variance / mean**2, 1)


TWINS = {
    name: globals()[name]
    for name in ("squared_error", "absolute_error", "huber", "quantile", "poisson")
}


def twin(loss, Y, F, weight):
    """Average over the targets of a row, then over rows."""
    losses = [TWINS[loss](y, f, weight) for y, f in zip(Y.T, F.T, strict=True)]
    return np.average(np.mean(losses, axis=0), weights=weight)


def test_every_loss_has_a_twin():
    assert set(TWINS) == set(LOSSES)


@every_loss
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_history_has_the_loss(counts, loss, n_outputs, is_weighted):
    X, y = counts
    y = np.stack([y, y**2, np.where(X[:, 2] > 0, 0, y)][:n_outputs], axis=1)
    weight = np.random.default_rng(0).integers(1, 4, 300) if is_weighted else None
    net = regressor(loss, learning_rate=1e-12, max_epochs=1, batch_size=300)
    net.fit(X, y if n_outputs > 1 else y[:, 0], sample_weight=weight)
    wanted = twin(loss, y, net.predict(X).reshape(y.shape), weight)
    assert_allclose(net.history_["train_loss"][0], wanted, rtol=1e-6)


@every_loss
def test_the_mean_loss_is_the_loss(counts, loss):
    X, y = counts
    net = regressor(loss).fit(X, y)
    wanted = twin(loss, y[:, None], net.predict(X)[:, None], None)
    assert_allclose(mean_loss(net, X, y), wanted, rtol=1e-5)


def constants(loss, y):
    return {
        "squared_error": np.mean(y),
        "poisson": np.mean(y),
        "absolute_error": np.median(y),
        "quantile": np.quantile(y, 0.2),
    }[loss]


@pytest.mark.parametrize(
    "loss", ["squared_error", "poisson", "absolute_error", "quantile"]
)
def test_rows_that_are_all_alike_get_the_statistic_of_the_loss(loss):
    y = np.random.default_rng(0).gamma(2, 10, 501)
    net = regressor(loss, (), learning_rate=0.003, max_epochs=300, batch_size=501)
    found = net.fit(np.ones((501, 2)), y).predict(np.ones((1, 2)))[0]
    assert_allclose(found, constants(loss, y), rtol=0.02)


def test_half_a_threshold_apart_is_huber_between_mean_and_median():
    y = np.random.default_rng(0).gamma(1, 10, 501)
    found = [
        regressor("huber", (), epsilon=epsilon, learning_rate=0.003, max_epochs=400)
        .set_params(batch_size=501)
        .fit(np.ones((501, 2)), y)
        .predict(np.ones((1, 2)))[0]
        for epsilon in (0.01, None, 100.0)
    ]
    assert_allclose(found[::2], [np.median(y), np.mean(y)], rtol=0.03)
    assert found[0] < found[1] < found[2]


@every_loss
def test_a_relation_is_learnt(line, loss):
    X, y = line
    net = regressor(loss, (16,), max_epochs=150)
    if loss == "quantile":
        net.set_params(quantile=0.5)
    assert net.fit(X, y).score(X, y) > 0.9


@every_loss
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_the_targets_does_not_matter(counts, loss, unit):
    X, y = counts
    expected = regressor(loss).fit(X, y).predict(X)
    assert_allclose(regressor(loss).fit(X, unit * y).predict(X) / unit, expected, 1e-6)


@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "poisson"])
def test_the_offset_of_the_targets_does_not_matter(counts, loss):
    X, y = counts
    expected = regressor(loss).fit(X, y).predict(X)
    moved = regressor(loss).fit(X, y - 1000).predict(X) + 1000
    assert_allclose(moved, expected, rtol=1e-6)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_far_targets_do_not_draw_the_fit(loss):
    X = np.random.default_rng(0).standard_normal((1000, 4))
    y = 30 + 5 * X[:, 0] - 2 * X[:, 1]
    far = np.where(np.arange(len(y)) % 15 == 0, 1e6, y)
    net = regressor(loss, (16,), max_epochs=50)
    if loss == "quantile":
        net.set_params(quantile=0.5)
    assert net.fit(X, far).score(X, y) > 0.8


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_of_the_targets_lies_below_a_quantile(share):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 2))
    y = X[:, 0] + np.exp(0.5 * X[:, 1]) * rng.standard_normal(2000)
    net = regressor("quantile", (16,), quantile=share, learning_rate=0.005)
    net.fit(X[:1000], y[:1000])
    assert_allclose(np.mean(y[1000:] < net.predict(X[1000:])), share, atol=0.05)


def test_quantiles_are_as_good_as_those_of_peers():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1500, 3))
    y = X[:, 0] + np.abs(X[:, 1]) * rng.standard_normal(1500)
    ours = regressor("quantile", (32,), quantile=0.8, learning_rate=0.005)
    peers = [
        QuantileRegressor(quantile=0.8, alpha=0),
        HistGradientBoostingRegressor(loss="quantile", quantile=0.8, random_state=0),
    ]
    found, *others = (
        d2_pinball_score(
            y[1000:], net.fit(X[:1000], y[:1000]).predict(X[1000:]), alpha=0.8
        )
        for net in (ours, *peers)
    )
    assert found > max(others) - 0.02


def test_counts_are_predicted_as_well_as_by_peers(counts):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((1500, 4))
    y = rng.poisson(np.exp(1 + 0.5 * X[:, 0] - 0.3 * X[:, 1])).astype(float)
    ours = regressor("poisson", (16,), learning_rate=0.005)
    peers = [
        PoissonRegressor(alpha=1e-4),
        HistGradientBoostingRegressor(loss="poisson", random_state=0),
    ]
    found, linear, trees = (
        d2_tweedie_score(
            y[1000:], net.fit(X[:1000], y[:1000]).predict(X[1000:]), power=1
        )
        for net in (ours, *peers)
    )
    assert found > linear - 0.03
    assert found > trees


@pytest.mark.parametrize("mean", [1.0, 1e4])
def test_counts_that_vary_little_are_learnt_too(mean):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 3))
    means = mean * np.exp(X[:, 0] / np.sqrt(mean))
    net = regressor("poisson").fit(X, rng.poisson(means).astype(float))
    assert np.corrcoef(net.predict(X), means)[0, 1] > 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predicted_counts_are_positive_and_finite_however_far(counts, dtype):
    X, y = counts
    net = regressor("poisson").fit(X, y.astype(dtype))
    for far in (1e6, -1e6):
        found = net.predict(far * X)
        assert found.dtype == dtype
        assert np.isfinite(found).all()
        assert (found > 0).all()


@every_loss
def test_a_target_that_does_not_vary_is_answered_exactly(counts, loss):
    X, y = counts
    both = np.column_stack([np.full(len(y), 7.0), y])
    found = regressor(loss).fit(X, both).predict(X)
    assert_array_equal(found[:, 0], 7)
    assert len(np.unique(found[:, 1])) > 2


@every_loss
def test_targets_that_vary_later_are_learnt_then(counts, loss):
    X, y = counts
    net = regressor(loss, quantile=0.5 if loss == "quantile" else None)
    net.partial_fit(X[:9], np.full(9, 3.0))
    for _ in range(60):
        net.partial_fit(X, y)
    assert net.score(X, y) > 0.2


@every_loss
@pytest.mark.parametrize("early_stopping", [False, True])
def test_integer_weights_are_repetitions(counts, loss, early_stopping):
    X, y = counts
    weight = np.random.default_rng(0).integers(0, 3, 300)
    net = regressor(loss, early_stopping=early_stopping, batch_size=1000, max_epochs=5)
    weighted = net.fit(X, y, sample_weight=weight).predict(X)
    repeated = net.fit(X.repeat(weight, axis=0), y.repeat(weight)).predict(X)
    assert_allclose(weighted, repeated, rtol=1e-7)


@pytest.mark.parametrize("quantile", [0.01, 0.2, 0.5, 0.7, 0.99])
def test_weighted_quantiles_are_those_of_repeated_values(quantile):
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 40):
        y, weight = rng.integers(0, 9, n).astype(float), rng.integers(1, 5, n)
        expected = median(y, weight, quantile)
        assert_allclose(
            weighted_quantiles(y[:, None], weight * 1.0, quantile), [expected]
        )
        scaled = weighted_quantiles(y[:, None], weight * 0.1, quantile)
        assert_allclose(scaled, [expected])


@every_loss
def test_copies_answer_bit_for_bit_and_go_on(counts, loss):
    X, y = counts
    net = regressor(loss).fit(X, y)
    for twin in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert_array_equal(twin.predict(X), net.predict(X))
        twin.partial_fit(X, y)
    assert_array_equal(clone(net).fit(X, y).predict(X), net.predict(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "cauchy"}, "'loss' parameter"),
        ({"loss": "quantile"}, "needs a quantile, such as quantile=0.5. Got None"),
        ({"loss": "quantile", "quantile": 1.0}, "'quantile' parameter"),
        ({"loss": "huber", "epsilon": 0.0}, "'epsilon' parameter"),
        (
            {"quantile": 0.3},
            "quantile is only read by loss='quantile'. Got quantile=0.3",
        ),
        ({"loss": "quantile", "quantile": 0.3, "epsilon": 1.0}, "read by loss='huber'"),
        (
            {"loss": "poisson", "quantile": 0.3},
            "with loss='poisson'; set quantile=None",
        ),
    ],
)
def test_a_useless_parameter_is_named(line, parameters, message):
    net = SparseNetRegressor(**parameters)
    with pytest.raises(ValueError, match=message):
        net.fit(*line)
    assert not hasattr(net, "net_")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y - 1, "needs y >= 0, such as counts. Got a smallest value of -1"),
        (lambda y: 0 * y, r"positive y among the rows .* columns \[0\] of 1"),
        (lambda y: np.column_stack([y, 0 * y]), r"columns \[1\] of 2"),
    ],
)
def test_what_is_no_count_is_refused(counts, change, message):
    X, y = counts
    net = regressor("poisson")
    for method in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=message):
            method(X, change(y))
    net.fit(X, y)
    expected = net.predict(X)
    with pytest.raises(ValueError, match="needs y >= 0"):
        net.partial_fit(X, y - 1)
    assert_array_equal(net.predict(X), expected)
    net.partial_fit(X[:5], 0 * y[:5])


def test_sparse_numbers_are_refused(counts):
    X, y = counts
    with pytest.raises(ValueError, match=r"dense array of numbers.*y.toarray\(\)"):
        regressor("poisson").fit(X, sparse.csr_array(y[:, None]))


def test_another_loss_is_not_gone_on_with(counts):
    X, y = counts
    net = regressor("huber", warm_start=True).fit(X, y)
    for parameters in ({"epsilon": 2.0}, {"epsilon": None, "loss": "poisson"}):
        net.set_params(**parameters)
        for method in (net.fit, net.partial_fit):
            with pytest.raises(ValueError, match=r"must stay as in .*Huber.*Got"):
                method(X, y)
    net.set_params(warm_start=False).fit(X, y)
    assert (net.predict(X) > 0).all()


def test_losses_are_searched(counts):
    grid = [{"loss": ["squared_error", "poisson"]}, QUANTILES["quantile"] | {}]
    grid[1] = {"loss": ["quantile"], "quantile": [0.2, 0.5]}
    search = GridSearchCV(regressor("poisson"), grid, cv=2, error_score="raise")
    assert len(search.fit(*counts).cv_results_["params"]) == 4


def test_tags_say_that_counts_are_not_negative():
    for loss in LOSSES:
        tags = get_tags(regressor(loss))
        assert tags.target_tags.positive_only == (loss == "poisson")


def test_a_loss_is_what_its_parameters_are():
    assert make_loss("quantile", quantile=0.3, epsilon=None).quantile == 0.3
    assert make_loss("huber").epsilon == 1.35
