"""What the report counts."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
    compression_report,
    for_prediction,
)
from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._linear_layers import select_layers
from tests.compression.compressors import module_of


def test_the_report_takes_estimators_by_name(digits):
    X, _, y, _ = digits
    net = SparseNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="dict of fitted estimators by name"):
        compression_report([net], X, y)
    with pytest.raises(ValueError, match="one estimator or more"):
        compression_report({}, X, y)


def test_what_is_only_for_prediction_says_that_it_cannot_go_on(digits):
    X, _, y, _ = digits
    slim = for_prediction(SparseNetClassifier(max_epochs=1, random_state=0).fit(X, y))
    with pytest.raises(ValueError, match="for prediction only"):
        slim.partial_fit(X, y)


@pytest.mark.parametrize("algorithm", ["omp", "soft_threshold"])
def test_the_work_of_a_coder_is_counted(digits, algorithm):
    X, X_test, y, y_test = digits
    sparsity = {"n_nonzero_coefs": 3} if algorithm == "omp" else {"alpha": 0.1}
    coder = SparseDictionaryCoder(40, algorithm=algorithm, max_epochs=2, **sparsity)
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    pipeline = make_pipeline(coder, net).fit(X, y)
    report = compression_report({"codes": pipeline}, X_test, y_test)
    searched = 40 * 3 * 4 / 2 if algorithm == "omp" else 0
    assert report.multiply_adds["codes"] == 40 * 64 + searched + 40 * 10


@pytest.mark.parametrize("encoder", ["soft_threshold", "triangle", "omp"])
def test_the_work_of_patches_is_counted(digits, encoder):
    X, X_test, y, y_test = digits
    coder = ImagePatchCoder(
        12,
        image_shape=(8, 8),
        patch_size=3,
        algorithm=encoder,
        n_nonzero_coefs=1 if encoder == "omp" else None,
        learner=None,
        random_state=0,
    )
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    pipeline = make_pipeline(coder, net).fit(X, y)
    report = compression_report({"patches": pipeline}, X_test, y_test)
    whitening = 0 if encoder == "soft_threshold" else 81
    searched = 12 if encoder == "omp" else 0
    n_outputs = len(coder.get_feature_names_out())
    found = report.multiply_adds["patches"] - 10 * n_outputs
    assert found == pytest.approx(36 * (12 * 9 + whitening + searched), rel=0.02)


WRAPPED = {
    "pipeline": lambda scaler: make_pipeline(scaler, "passthrough"),
    "columns": lambda scaler: ColumnTransformer([("all", scaler, slice(0, 64))]),
    "union": lambda scaler: FeatureUnion([("one", scaler), ("none", "drop")]),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_report_counts_what_is_inside_transformers(digits, name):
    X, X_test, y, y_test = digits
    net = SparseNetClassifier((), max_epochs=2, random_state=0)
    plain, wrapped = (
        compression_report(
            {"it": make_pipeline(step, net).fit(X, y)}, X_test.tolist(), y_test
        )
        for step in (StandardScaler(), WRAPPED[name](StandardScaler()))
    )
    assert plain.parameters["it"] == 64 * 10 + 10 + 3 * 64
    for column in ("parameters", "nonzero", "bytes_memory", "multiply_adds"):
        assert plain[column]["it"] == wrapped[column]["it"]


def test_a_report_fits_clones_if_asked_to(digits):
    X, X_test, y, y_test = digits
    net = SparseNetClassifier((8,), learning_rate=0.02, max_epochs=10, random_state=0)
    estimators = {"float": net, "int8": NetQuantizer(net)}
    report = compression_report(estimators, X_test, y_test, fit_on=(X, y))
    assert (report.fit_time > 0).all()
    assert report.accuracy["float"] == clone(net).fit(X, y).score(X_test, y_test)
    assert not hasattr(net, "net_")


def test_a_report_counts_everything(digits, net):
    X, X_test, y, y_test = digits
    pipeline = make_pipeline(
        TruncatedSVDReducer(20), SparseNetClassifier((8,), max_epochs=3)
    ).fit(X, y)
    estimators = {
        "float": net,
        "pruned": NetPruner(FrozenEstimator(net), amount=0.9).fit(X, y),
        "int8": NetQuantizer(FrozenEstimator(net)).fit(X, y),
        "svd ahead": pipeline,
    }
    report = compression_report(estimators, X_test, y_test)
    assert list(report.index) == list(estimators)
    n_weights = 64 * 64 + 64 * 64 + 64 * 10
    assert report.parameters["float"] == n_weights + 138
    assert report.multiply_adds["float"] == n_weights
    assert report.multiply_adds["pruned"] == pytest.approx(0.1 * n_weights, abs=1)
    n_directions = np.count_nonzero(pipeline[0].components_)
    assert report.multiply_adds["svd ahead"] == n_directions + 20 * 8 + 80
    assert report.bytes_memory["int8"] < 0.3 * report.bytes_memory["float"]
    assert report.smaller["float"] == report.faster["float"] == 1
    assert_allclose(report.accuracy["float"], net.score(X_test, y_test))
    assert (report[["latency_1", "latency_256", "bytes_disk"]] > 0).all(axis=None)


def test_steps_are_stored_without_what_only_fitting_needs(digits):
    X, X_test, y, _ = digits
    net = SparseNetClassifier((8,), max_epochs=2, random_state=0)
    coder = SparseDictionaryCoder(32, max_epochs=1, random_state=0)
    for step in (TruncatedSVDReducer(20), coder):
        pipeline = make_pipeline(step, net).fit(X, y)
        slim = for_prediction(pipeline)
        assert len(pickle.dumps(slim[0])) < 2 * pipeline[0].components_.nbytes
        answers = slim.predict_proba(X_test)
        assert_array_equal(answers, pipeline.predict_proba(X_test))


def test_bytes_are_those_of_the_float_type(digits):
    X, _, y, _ = digits
    nets = {
        str(dtype): SparseNetClassifier((8,), max_epochs=1).fit(X.astype(dtype), y)
        for dtype in (np.float32, np.float64)
    }
    single, double = compression_report(nets, X, y).bytes_memory
    assert double == 2 * single


def test_a_copy_of_a_pruned_layer_shares_nothing(digits, net):
    X, _, y, _ = digits
    layer = select_layers(
        module_of(NetPruner(FrozenEstimator(net)).fit(X, y)), is_linear
    )[0]
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        twin.bias.fill_(7)
    assert not (layer.bias == 7).any()
    assert layer.bias is not twin.bias


def test_a_report_of_numbers_has_r2():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5)).astype(np.float32)
    y = X @ np.arange(5.0)
    net = SparseNetRegressor((16,), learning_rate=0.01, random_state=0).fit(X, y)
    report = compression_report({"net": net}, X, y)
    assert report.r2["net"] > 0.9


def test_a_report_takes_fitted_networks_only(digits):
    X, _, y, _ = digits
    with pytest.raises(NotFittedError):
        compression_report({"net": SparseNetClassifier()}, X, y)
    model = KNeighborsClassifier().fit(X, y)
    with pytest.raises(TypeError, match="Got KNeighborsClassifier"):
        compression_report({"neighbours": model}, X, y)
