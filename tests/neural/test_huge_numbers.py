"""Numbers near the ends of what a computer can hold, and losses that mean nothing."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sksparse_nn import SparseNetClassifier, SparseNetRegressor, TopKAutoencoder

X = np.random.default_rng(0).standard_normal((60, 6))
PEAK = 1.79e308

LOSSES = {
    "squared_error": {},
    "absolute_error": {},
    "huber": {},
    "quantile": {"quantile": 0.3},
    "poisson": {},
}


def regressor(loss="squared_error", **parameters):
    given = {"max_epochs": 20, "learning_rate": 0.02, "random_state": 0} | parameters
    return SparseNetRegressor((8,), loss=loss, **LOSSES[loss] | given)


@pytest.mark.filterwarnings("ignore:Training has not converged")
@pytest.mark.parametrize("power", [-1000, 600])
@pytest.mark.parametrize("loss", LOSSES)
def test_predictions_scale_with_targets_to_the_bit(loss, power):
    y, factor = np.exp(X[:, :2]), 2.0**power
    plain, scaled = regressor(loss, max_epochs=3), regressor(loss, max_epochs=3)
    for method in ("fit", "partial_fit"):
        getattr(plain, method)(X, y)
        getattr(scaled, method)(X, factor * y)
        assert_array_equal(scaled.predict(X), factor * plain.predict(X))


@pytest.mark.parametrize("loss", sorted(LOSSES.keys() - {"poisson"}))
def test_targets_may_reach_both_ends(loss):
    y = PEAK * (X[:, 0] / np.abs(X[:, 0]).max())
    predicted = regressor(loss).fit(X, y).predict(X)
    assert np.isfinite(predicted).all()
    assert np.corrcoef(predicted / PEAK, X[:, 0])[0, 1] > 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_end_where_their_type_does(dtype):
    y = (np.finfo(dtype).max * np.clip(X[:, 0], -1, 1)).astype(dtype)
    predicted = regressor().fit(X, y).predict(5 * X)
    assert predicted.dtype == dtype
    assert np.isfinite(predicted).all()
    assert np.abs(predicted).max() == np.finfo(dtype).max


def autoencoder():
    return TopKAutoencoder(8, n_nonzero_coefs=3, max_epochs=5, random_state=0)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("power", [-1000, 600])
def test_codes_of_an_autoencoder_scale_with_rows_to_the_bit(power, kind):
    rows, factor = kind(X), 2.0**power
    plain, scaled = autoencoder().fit(rows), autoencoder().fit(factor * rows)
    assert_array_equal(scaled.components_, plain.components_)
    assert_array_equal(
        scaled.transform(factor * rows).toarray(),
        factor * plain.transform(rows).toarray(),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_of_rows_at_the_end_of_their_type(dtype):
    small = (X / np.abs(X).max()).astype(dtype)
    most = dtype(2.0 ** (np.frexp(np.finfo(dtype).max)[1] - 2))
    large = autoencoder().fit(most * small)
    codes = large.transform(most * small).toarray()
    assert_allclose(
        codes / most, autoencoder().fit(small).transform(small).toarray(), rtol=1e-5
    )


def test_codes_that_cannot_be_held_are_told():
    rows = np.full((20, 30), 1.7e308)
    rows[::2] *= -1
    coder = TopKAutoencoder(1, n_nonzero_coefs=1, max_epochs=3, random_state=0).fit(
        rows
    )
    with pytest.raises(ValueError, match=r"codes of at most 1.798e\+308.* divide X"):
        coder.transform(rows)


def diverged(estimator, *data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(*data)
    texts = [str(w.message) for w in caught if w.category is ConvergenceWarning]
    assert not [w for w in caught if w.category is RuntimeWarning]
    return [text for text in texts if "diverged" in text]


def classifier(**parameters):
    return SparseNetClassifier((8,), learning_rate=10.0, random_state=0, **parameters)


LOST = {
    "rate": (regressor(optimizer="adamw", learning_rate=10.0), X, 1e30 * X[:, 0]),
    "columns": (regressor(max_epochs=2), 1e4 * X, X[:, 0]),
    "classes": (classifier(), 100 * X, np.arange(60) % 3),
    "weighted": (classifier(class_weight="balanced"), 100 * X, np.arange(60) % 3),
    "labels": (
        classifier(),
        100 * X,
        np.random.default_rng(1).integers(0, 2, (60, 3)),
    ),
    "stopped": (regressor(learning_rate=100.0, early_stopping=True), X, X[:, 0]),
    "autoencoder": (autoencoder().set_params(learning_rate=50.0), X),
}


@pytest.mark.parametrize("name", LOST)
def test_a_loss_that_is_finite_and_absurd_is_told(name):
    text = "".join(diverged(*LOST[name]))
    assert f"learning_rate={LOST[name][0].learning_rate}" in text


@pytest.mark.parametrize(
    "estimator",
    [regressor(loss) for loss in LOSSES]
    + [regressor(max_epochs=1), SparseNetClassifier(max_epochs=1), autoencoder()]
    + [TopKAutoencoder(max_epochs=1), autoencoder().set_params(max_epochs=1)],
)
@pytest.mark.parametrize("noise", [False, True])
def test_a_training_that_only_learns_little_is_not_told_to_diverge(estimator, noise):
    y = np.random.default_rng(1).exponential(size=60) if noise else np.exp(X[:, 0])
    y = (y > 1).astype(int) if isinstance(estimator, SparseNetClassifier) else y
    assert diverged(estimator, X, y) == []
