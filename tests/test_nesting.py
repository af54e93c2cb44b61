"""Estimators in estimators: every way to nest them, for all that takes them apart."""

import pickle

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline as SamplingPipeline
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sksparse_nn import (
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    RowScreener,
    ScreenedEstimator,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparsitySearchCV,
    TruncatedSVDReducer,
    compression_report,
    for_prediction,
)
from sksparse_nn._pipelines import last_step, list_steps
from sksparse_nn.inspection import attribute, deletion_curves, report


def _coder():
    return SparseDictionaryCoder(12, max_epochs=1, random_state=0)


def _net():
    return SparseNetClassifier((12,), learning_rate=0.01, max_epochs=4, random_state=0)


def _pipeline():
    return make_pipeline(MaxAbsScaler(), _coder(), _net())


def _sampling(*steps):
    return SamplingPipeline([(f"step{i}", step) for i, step in enumerate(steps)])


NESTINGS = {
    "pipeline": _pipeline,
    "sampler ahead": lambda: _sampling(
        RandomOverSampler(random_state=0), MaxAbsScaler(), _coder(), _net()
    ),
    "sampler behind codes": lambda: _sampling(
        MaxAbsScaler(), _coder(), RandomOverSampler(random_state=0), _net()
    ),
    "passthrough and None": lambda: Pipeline(
        [("a", "passthrough"), ("b", None), ("codes", _coder()), ("net", _net())]
    ),
    "pipeline in pipeline": lambda: make_pipeline(
        MaxAbsScaler(), make_pipeline(_coder(), make_pipeline("passthrough", _net()))
    ),
    "search": lambda: GridSearchCV(
        _pipeline(), {"sparsenetclassifier__max_epochs": [4]}, cv=2
    ),
    "search in pipeline": lambda: make_pipeline(
        MaxAbsScaler(), GridSearchCV(make_pipeline(_coder(), _net()), {}, cv=2)
    ),
    "sparsity search": lambda: SparsitySearchCV(
        _pipeline(), {"sparsedictionarycoder__alpha": [0.1, 0.2]}, cv=2
    ),
    "compressor": lambda: NetPruner(_pipeline(), fine_tune_epochs=1),
    "compressors": lambda: NetQuantizer(
        NetPruner(make_pipeline(_coder(), _net()), fine_tune_epochs=0)
    ),
    "compressor of a search": lambda: NetQuantizer(
        GridSearchCV(_pipeline(), {"sparsedictionarycoder__alpha": [0.1]}, cv=2),
        scheme="weight_only",
    ),
    "compressor in pipeline": lambda: make_pipeline(
        _coder(), NetPruner(_net(), fine_tune_epochs=0)
    ),
    "compressor of a sampler's": lambda: NetPruner(
        _sampling(RandomOverSampler(random_state=0), _coder(), _net()),
        fine_tune_epochs=0,
    ),
}


@pytest.fixture(scope="module", name="data")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:200] / 16, y[:200]


@pytest.fixture(scope="module", params=NESTINGS, name="fitted")
def fitted_nesting(request, data):
    return NESTINGS[request.param]().fit(*data)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_everything_takes_every_nesting_apart(fitted, data, tmp_path):
    X, y = data
    steps = list_steps(fitted)
    assert isinstance(steps[-1], SparseNetClassifier)
    assert isinstance(steps[-2], SparseDictionaryCoder)
    Z = X
    for step in steps[:-1]:
        Z = step.transform(Z)
    assert_array_equal(steps[-1].predict_proba(Z), fitted.predict_proba(X))
    slim = pickle.loads(pickle.dumps(for_prediction(fitted)))
    assert_array_equal(slim.predict_proba(X), fitted.predict_proba(X))
    table = compression_report({"it": fitted}, X, y)
    assert table.parameters["it"] == 1066 + 128 * (len(steps) == 3)
    found = attribute(fitted, X[:3], outputs="predicted")
    assert found.atoms.shape == (3, 1, 12)
    assert found.features.shape == (3, 1, 64)
    curves = deletion_curves(fitted, X[:20], y[:20], n_points=3, n_random=0)
    assert curves.deletion.shape == (3,)
    activations = LayerActivations(FrozenEstimator(fitted), layer="0").fit(X)
    assert activations.transform(X).shape == (200, 12)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["sampler ahead", "compressor of a search"])
def test_a_page_is_written_of_nestings(name, data, tmp_path):
    X, y = data
    path = tmp_path / "page.html"
    model = NESTINGS[name]().fit(X, y)
    report(model, X[:40], y[:40], path, n_atoms=1, n_samples=1, random_state=0)
    assert "Is it true?" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [NetPruner, NetQuantizer, NetFactorizer])
@pytest.mark.parametrize("name", ["sampler ahead", "search", "passthrough and None"])
def test_compressors_take_every_nesting(kind, name, data):
    X, y = data
    before = NESTINGS[name]()
    small = kind(before).fit(X, y)
    assert type(small.estimator_) is type(before)
    assert_array_equal(small.predict(X), small.estimator_.predict(X))
    assert small.score(X, y) > 0.3


def test_a_saved_pipeline_keeps_its_class_and_loses_its_samplers(data):
    model = NESTINGS["sampler ahead"]().fit(*data)
    slim = for_prediction(model)
    assert type(slim) is SamplingPipeline
    assert [name for name, _ in slim.steps] == ["step1", "step2", "step3"]
    assert model.steps[0][0] == "step0"


def test_parts_of_unions_and_of_columns_are_saved_slim_too(data):
    X, y = data
    union = FeatureUnion([("svd", TruncatedSVDReducer(4)), ("codes", _coder())])
    columns = ColumnTransformer([("all", union, list(range(64)))])
    model = make_pipeline(columns, _net()).fit(X, y)
    slim = for_prediction(model)
    assert_array_equal(slim.predict_proba(X), model.predict_proba(X))
    assert len(pickle.dumps(slim)) < 0.8 * len(pickle.dumps(model))
    table = compression_report({"it": model}, X, y)
    assert table.parameters["it"] >= 16 * 64 + 17 * 12 + 130


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda net: ScreenedEstimator(RowScreener(), net), "predict_proba"),
        (LayerActivations, "transform"),
        (NetQuantizer, "predict_proba"),
    ],
    ids=["screened", "activations", "compressor"],
)
def test_what_was_fitted_before_is_left_out(data, make, answer):
    X, y = data
    fitted, sizes = _net().fit(X, y), []
    for given in (clone(fitted), fitted, FrozenEstimator(fitted)):
        model = make(given).fit(X, y)
        slim = for_prediction(model)
        assert_array_equal(getattr(slim, answer)(X), getattr(model, answer)(X))
        sizes.append(len(pickle.dumps(slim)))
    assert max(sizes) < min(sizes) + 300
    assert hasattr(fitted, "net_")


def test_a_frozen_network_in_a_pipeline_stays_as_it_is(data):
    X, y = data
    net = _net().fit(X, y)
    before = net.predict_proba(X)
    small = NetPruner(make_pipeline(MaxAbsScaler(), FrozenEstimator(net)), amount=0.9)
    small.fit(X, y)
    assert_array_equal(net.predict_proba(X), before)
    assert not np.array_equal(small.predict_proba(X), before)


@pytest.mark.parametrize(
    "whole",
    [
        lambda coder, head: make_pipeline(make_pipeline(MaxAbsScaler(), coder), head),
        lambda coder, head: make_pipeline(
            ColumnTransformer([("all", coder, list(range(64)))]), head
        ),
        lambda coder, head: make_pipeline(FeatureUnion([("precoder", coder)]), head),
    ],
    ids=["pipeline", "columns", "union"],
)
def test_sparsity_of_a_coder_in_parts_is_searched(whole, data):
    X, y = data
    estimator = whole(_coder(), LogisticRegression(max_iter=50))
    [name] = [
        name
        for name, value in estimator.get_params().items()
        if isinstance(value, SparseDictionaryCoder)
    ]
    grid = {f"{name}__alpha": [0.1, 0.5]}
    ours = SparsitySearchCV(estimator, grid, cv=2).fit(X, y)
    assert set(ours.best_params_) == set(grid)
    best = ours.best_estimator_
    again = clone(best).fit(X, y)
    assert again.score(X, y) > 0.7
    assert "_SharedDictionary" not in repr(best)
    assert_array_equal(ours.predict(X), best.predict(X))


@pytest.mark.parametrize(
    "grid", [[1, 2, 3], 7, {"sparsedictionarycoder__alpha": 0.1}, "alpha", None, []]
)
def test_malformed_grids_are_refused_in_the_words_of_scikit_learn(grid, data):
    told = []
    for kind in (GridSearchCV, SparsitySearchCV):
        with pytest.raises((TypeError, ValueError)) as caught:
            kind(_pipeline(), grid, cv=2).fit(*data)
        said = str(caught.value).replace("SparsitySearchCV", "GridSearchCV")
        told.append((caught.type, said))
    assert told[0] == told[1]


ROUTERS = {
    "pruner": NetPruner,
    "quantizer": NetQuantizer,
    "factorizer": NetFactorizer,
    "nested": lambda net: NetQuantizer(NetPruner(net)),
    "in a pipeline": lambda net: make_pipeline(NetPruner(net)),
    "around a pipeline": lambda net: NetPruner(make_pipeline(MaxAbsScaler(), net)),
    "searched": lambda net: GridSearchCV(
        NetQuantizer(net).set_score_request(sample_weight=False), {}, cv=2
    ),
    "activations": LayerActivations,
    "around a sparsity search": lambda net: NetQuantizer(
        SparsitySearchCV(
            # scikit-learn 1.7 asks pipelines themselves about their scores.
            make_pipeline(
                _coder().set_fit_request(sample_weight=False), net
            ).set_score_request(sample_weight=True),
            {"sparsedictionarycoder__alpha": [0.1]},
            cv=2,
        )
    ),
}


@pytest.mark.parametrize("name", ROUTERS)
def test_weights_are_routed_and_take_effect(name, data):
    X, y = data
    weights = np.where(y < 5, 1.0, 0.0)
    with config_context(enable_metadata_routing=True):
        net = _net().set_fit_request(sample_weight=True)
        net = net.set_score_request(sample_weight=True)
        model = ROUTERS[name](net).fit(X, y, sample_weight=weights)
        if hasattr(model, "predict"):
            assert model.predict(X).max() < 5
        else:
            plain = LayerActivations(_net()).fit(X, y)
            assert not np.allclose(plain.transform(X), model.transform(X))
        with pytest.raises(ValueError, match="set_fit_request"):
            ROUTERS[name](_net()).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("name", ["quantizer", "in a pipeline of its own"])
def test_what_else_a_network_takes_is_handed_on(name, data):
    X, y = data
    net, given = _net(), {"X_val": X[:50], "y_val": y[:50]}
    if name != "quantizer":
        net = Pipeline([("net", net)])
        given = {f"net__{key}": value for key, value in given.items()}
    model = NetQuantizer(net).fit(X, y, **given)
    assert "valid_loss" in last_step(model).history_


class _Head(BaseEstimator):
    def fit(self, X, y):
        return self


@pytest.mark.parametrize("kind", [NetPruner, LayerActivations])
def test_what_has_no_network_is_refused(kind, data):
    with pytest.raises(TypeError, match="Got _Head"):
        kind(GridSearchCV(_Head(), {}, scoring=lambda *_: 0)).fit(*data)


def test_importances_are_those_of_the_smaller_network(data):
    X, y = data
    net = _net().fit(X, y)
    for kind, atol in ((NetQuantizer, 1e-3), (NetFactorizer, 0.02), (NetPruner, 0.02)):
        small = kind(FrozenEstimator(net)).fit(X, y)
        found = small.feature_importances_
        assert_allclose(found, net.feature_importances_, atol=atol)
