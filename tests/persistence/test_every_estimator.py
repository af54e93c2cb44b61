"""Every estimator goes through a file of skops, and goes on as if it had not."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.validation import check_is_fitted

from sksparse_nn import compression_report, for_prediction
from tests.estimators import ESTIMATORS, NETS, TRANSFORMERS, name_of
from tests.persistence.saving import assert_same_bits, through_skops, untrusted_types

pytestmark = pytest.mark.filterwarnings("ignore")

rng = np.random.default_rng(0)
X = np.abs(rng.standard_normal((60, 12))).astype(np.float32)
y = (X[:, 0] > X[:, 1]).astype(int)

every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
every_net = pytest.mark.parametrize("estimator", NETS, ids=name_of)


def seeded(estimator):
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator


FITTED = {}


def fitted(estimator):
    """Return a copy that may change; each estimator is fitted once."""
    if id(estimator) not in FITTED:
        FITTED[id(estimator)] = seeded(estimator).fit(X, y)
    return copy.deepcopy(FITTED[id(estimator)])


@every_estimator
def test_an_unfitted_estimator_fits_alike(estimator):
    twin = through_skops(seeded(estimator))
    with pytest.raises(NotFittedError):
        check_is_fitted(twin)
    assert repr(twin) == repr(seeded(estimator))


@every_estimator
def test_a_fitted_estimator_is_the_same_to_the_bit_and_goes_on(estimator):
    estimator = fitted(estimator)
    assert untrusted_types(estimator) == []
    twin = through_skops(estimator)
    assert_same_bits(estimator, twin, X)
    assert_same_bits(estimator, pickle.loads(pickle.dumps(twin)), X)
    if hasattr(estimator, "partial_fit"):
        for part in (estimator, twin):
            part.partial_fit(X[:30], y[:30]).partial_fit(X[10:], y[10:])
        assert_same_bits(estimator, twin, X)
        assert_same_bits(estimator, through_skops(twin), X)


@every_estimator
def test_copies_for_prediction_answer_alike_and_can_be_copied_again(estimator):
    estimator = fitted(estimator)
    slim = for_prediction(estimator)
    assert_same_bits(estimator, slim, X)
    assert_same_bits(estimator, for_prediction(slim), X)
    assert_same_bits(estimator, through_skops(slim), X)


@every_net
def test_copies_for_prediction_have_the_size_that_is_reported(estimator):
    estimator = fitted(estimator)
    models = {"whole": estimator, "slim": for_prediction(estimator)}
    table = compression_report(models, X, y)
    assert table.bytes_zipped.whole == pytest.approx(table.bytes_zipped.slim, rel=0.01)


@every_net
def test_a_net_has_all_that_it_had(estimator):
    net = fitted(estimator)
    twin = through_skops(net)
    assert vars(twin).keys() == vars(net).keys()
    names = vars(net.net_).keys() ^ vars(twin.net_).keys()
    assert names <= {"has_failed", "is_lowered"}, "others have no default"
    assert twin.net_.history == net.net_.history
    assert str(twin.net_) == str(net.net_)


@every_net
def test_a_warm_start_goes_on_alike(estimator):
    net = fitted(estimator).set_params(warm_start=True)
    twin = through_skops(net)
    for part in (net, twin):
        part.fit(X, y)
    assert_same_bits(net, twin, X)
    for name, values in net.history_.items():
        if name != "dur":
            assert_array_equal(twin.history_[name], values)


@every_net
def test_copies_and_clones_of_what_was_loaded_are_as_ever(estimator):
    twin = through_skops(fitted(estimator))
    assert_same_bits(twin, copy.deepcopy(twin), X)
    assert_same_bits(twin, copy.copy(twin), X)
    assert_same_bits(clone(twin).fit(X, y), fitted(estimator), X)


@pytest.mark.parametrize("estimator", [*TRANSFORMERS[::7], *NETS[::5]], ids=name_of)
def test_pipelines_and_searches_are_the_same_to_the_bit(estimator):
    pipeline = make_pipeline(MaxAbsScaler(), seeded(estimator)).fit(X, y)
    assert_same_bits(pipeline, through_skops(pipeline), X)
    if hasattr(estimator, "predict"):
        grid = {"max_epochs": [1, 3]}
        search = GridSearchCV(seeded(estimator), grid, cv=2).fit(X, y)
        twin = through_skops(search)
        assert_same_bits(search, twin, X)
        assert twin.best_params_ == search.best_params_


@every_net
def test_pickles_hold_no_plain_form(estimator):
    net = fitted(estimator)
    assert b"_network" not in pickle.dumps(net)


@every_estimator
def test_files_without_parameters_of_later_versions_have_their_defaults(estimator):
    former, defaults = seeded(estimator), estimator.get_params(deep=False)
    for name in defaults:
        fallback = inspect.signature(type(estimator)).parameters[name].default
        if fallback is not inspect.Parameter.empty:
            delattr(former, name)
            defaults[name] = fallback
    for twin in (pickle.loads(pickle.dumps(former)), through_skops(former)):
        assert repr(twin) == repr(type(estimator)(**defaults))
