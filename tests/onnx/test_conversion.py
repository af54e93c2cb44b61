"""Models of ONNX: labels, units, options, columns, what is refused and checked."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)
from sksparse_nn.onnx import register, to_onnx
from sksparse_nn.solvers.coding import AbstractCoder
from tests.onnx.sessions import run
from tests.own_algorithms import Nearest

pytestmark = pytest.mark.filterwarnings("ignore")

rng = np.random.default_rng(0)
X = rng.standard_normal((200, 10)).astype(np.float32)
names = np.array(["down", "level", "up"])
y = names[(X[:, 0] > 0.4).astype(int) + (X[:, 0] > -0.4)]


def classifier(**parameters):
    return SparseNetClassifier((8,), max_epochs=3, random_state=0, **parameters)


@pytest.mark.parametrize("labels", [y, y == "up", (y == "up") + 3, (y == "up") * 1.0])
def test_labels_have_the_names_of_classes(labels):
    net = classifier().fit(X, labels)
    found, probabilities = run(to_onnx(net, X=X), X)
    assert_array_equal(found, net.predict(X))
    assert_allclose(probabilities, net.predict_proba(X), atol=1e-6)


def test_several_labels_have_a_column_each():
    Y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 1]).astype(int)
    net = classifier().fit(X, Y)
    found, probabilities = run(to_onnx(net, X=X), X)
    assert_array_equal(found, net.predict(X))
    assert_allclose(probabilities, net.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("wrap", [lambda net: net, NetPruner])
@pytest.mark.parametrize("labels", [y, (y == "up").astype(int)])
def test_zipmap_gives_a_dict_a_sample_by_default(wrap, labels):
    register()
    net = wrap(classifier()).fit(X, labels)
    wanted = net.predict_proba(X[:3])
    found = run(skl2onnx.to_onnx(net, X[:1]), X[:3])[1]
    assert list(found[0]) == list(net.classes_)
    assert_allclose([list(row.values()) for row in found], wanted, atol=1e-6)
    options = {id(net): {"zipmap": False}}
    found = run(skl2onnx.to_onnx(net, X[:1], options=options), X[:3])[1]
    assert_allclose(found, wanted, atol=1e-6)
    options = {id(net): {"zipmap": "columns"}}
    found = run(skl2onnx.to_onnx(net, X[:1], options=options), X[:3])
    assert_allclose(np.stack(found[1:], axis=1).reshape(3, -1), wanted, atol=1e-6)


def test_options_reach_a_network_in_a_pipeline():
    register()
    pipeline = make_pipeline(StandardScaler(), classifier()).fit(X, y)
    options = {id(pipeline): {"zipmap": False}}
    found = run(skl2onnx.to_onnx(pipeline, X[:1], options=options), X)
    assert_allclose(found[1], pipeline.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "absolute_error"])
@pytest.mark.parametrize("width", [1, 3])
def test_numbers_are_in_the_unit_of_the_targets(loss, width):
    targets = 1000 + 300 * np.abs(X[:, :width])
    net = SparseNetRegressor((8,), max_epochs=3, loss=loss, random_state=0)
    net.fit(X, targets if width > 1 else targets[:, 0])
    [found] = run(to_onnx(net, X=X), X)
    assert found.shape == (200, width)
    assert_allclose(found, net.predict(X).reshape(-1, width), rtol=1e-5)


def test_float64_stays_float64():
    rows = X.astype(np.float64)
    net = SparseNetRegressor((8,), max_epochs=3, random_state=0).fit(rows, rows[:, 0])
    pipeline = make_pipeline(TruncatedSVDReducer(4), net).fit(rows, rows[:, 0])
    [found] = run(to_onnx(pipeline, X=rows), rows)
    assert_allclose(found[:, 0], pipeline.predict(rows), rtol=1e-9)


def test_integers_are_taken_too():
    rows = (10 * X).astype(np.int64)
    reducer = TruncatedSVDReducer(3).fit(rows)
    [found] = run(to_onnx(reducer, X=rows), rows)
    assert found.dtype == np.float32
    assert_allclose(found, reducer.transform(rows), atol=1e-4)


def test_columns_of_a_frame_are_inputs():
    frame = pd.DataFrame({"size": X[:, 0], "weight": X[:, 1], "name": y})
    columns = make_column_transformer(
        (make_pipeline(MinMaxScaler(), TruncatedSVDReducer(2)), ["size", "weight"]),
        (OneHotEncoder(sparse_output=False), ["name"]),
    )
    pipeline = make_pipeline(columns, classifier()).fit(frame, y)
    model = to_onnx(pipeline, X=frame)
    assert [one.name for one in model.graph.input] == list(frame)


def test_integers_are_stored_as_integers():
    net = SparseNetClassifier((64, 64), max_epochs=1, random_state=0).fit(X, y)
    whole = len(to_onnx(net, X=X).SerializeToString())
    for scheme, n_bits, share in (
        ("dynamic", 8, 0.5),
        ("static", 8, 0.5),
        ("weight_only", 8, 0.5),
        ("weight_only", 4, 0.4),
    ):
        small = NetQuantizer(net, scheme=scheme, n_bits=n_bits).fit(X, y)
        model = to_onnx(small, X=X)
        assert len(model.SerializeToString()) < share * whole
        kinds = {node.op_type for node in model.graph.node}
        assert not any("Quant" in kind or "Integer" in kind for kind in kinds)
        assert_allclose(run(model, X)[1], small.predict_proba(X), atol=1e-5)


def test_optimisation_changes_no_prediction_of_integers():
    net = SparseNetClassifier((64,), max_epochs=3, random_state=0)
    small = NetQuantizer(net).fit(X, y)
    model = to_onnx(small, X=X)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    plain = onnxruntime.InferenceSession(model.SerializeToString(), options)
    assert_allclose(run(model, X)[1], plain.run(None, {"X": X})[1], atol=1e-6)


@pytest.mark.parametrize("factor", [1e-25, 1e-6, 1e6, 1e18])
@pytest.mark.parametrize("algorithm", ["omp", "ols", "lasso", "top_k", "threshold"])
def test_the_unit_of_samples_does_not_matter(algorithm, factor):
    rows = X * np.float32(factor)
    coder = SparseDictionaryCoder(16, algorithm=algorithm, max_epochs=1, random_state=0)
    coder.fit(rows)
    [found] = run(to_onnx(coder, X=rows), rows)
    wanted = coder.transform(rows).toarray()
    assert_array_equal(found != 0, wanted != 0)


@pytest.mark.parametrize("algorithm", ["omp", "ols", "top_k", "threshold", "triangle"])
def test_rows_and_atoms_of_zeros_are_coded_alike(algorithm):
    rows = np.vstack([np.zeros((2, 10), np.float32), X[:20]])
    atoms = np.vstack([X[20:26], np.zeros((1, 10), np.float32)])
    coder = SparseDictionaryCoder(init=atoms, learner=None, algorithm=algorithm)
    [found] = run(to_onnx(coder.fit(rows), X=rows), rows)
    wanted = coder.transform(rows).toarray()
    assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("algorithm", ["omp", "ols"])
def test_of_equal_atoms_any_may_be_chosen(algorithm):
    atoms = np.vstack([X[20:26], X[20:23]])
    coder = SparseDictionaryCoder(init=atoms, learner=None, algorithm=algorithm).fit(X)
    [found] = run(to_onnx(coder, X=X, tol=2), X)
    wanted = coder.transform(X).toarray()
    assert_allclose(found @ atoms, wanted @ atoms, atol=1e-4)
    assert_array_equal((found != 0).sum(axis=1), (wanted != 0).sum(axis=1))


def test_a_pursuit_of_many_atoms_is_refused():
    coder = SparseDictionaryCoder(80, algorithm="omp", n_nonzero_coefs=70, max_epochs=1)
    rows = rng.standard_normal((100, 90)).astype(np.float32)
    with pytest.raises(TypeError, match="n_nonzero_coefs to at most 64"):
        to_onnx(coder.fit(rows), X=rows)


def test_a_coder_of_ones_own_is_refused_by_its_name():
    assert issubclass(Nearest, AbstractCoder)
    coder = SparseDictionaryCoder(4, algorithm=Nearest(), max_epochs=1).fit(X)
    with pytest.raises(TypeError, match="The algorithm Nearest cannot"):
        to_onnx(coder, X=X)


@pytest.mark.parametrize("pooling", ["sum", "mean", "max"])
@pytest.mark.parametrize("algorithm", ["soft_threshold", "triangle", "omp"])
@pytest.mark.parametrize("channel_axis", [0, -1])
def test_images_of_several_channels_are_pooled_by_region(
    algorithm, pooling, channel_axis
):
    shape = (2, 7, 6) if channel_axis == 0 else (7, 6, 2)
    images = rng.random((40, 84)).astype(np.float32)
    images[:3] = 0.5
    coder = ImagePatchCoder(
        6,
        image_shape=shape,
        channel_axis=channel_axis,
        patch_size=3,
        stride=1 + (pooling == "mean"),
        algorithm=algorithm,
        pooling=pooling,
        pooled_shape=2,
        random_state=0,
    ).fit(images)
    [found] = run(to_onnx(coder, X=images), images)
    wanted = coder.transform(images)
    assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())


def test_a_module_of_known_layers_is_exported():
    def known(n_features, n_outputs):
        layers = torch.nn.Linear(n_features, 4), torch.nn.Tanh()
        return torch.nn.Sequential(*layers, torch.nn.Linear(4, n_outputs))

    net = SparseNetClassifier(module=known, max_epochs=2, random_state=0).fit(X, y)
    assert_allclose(run(to_onnx(net, X=X), X)[1], net.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    "activation",
    ["elu", "gelu", "identity", "leaky_relu", "logistic", "relu", "silu", "tanh"],
)
def test_every_activation_is_the_same(activation):
    net = classifier(activation=activation).fit(X, y)
    assert_allclose(run(to_onnx(net, X=X), X)[1], net.predict_proba(X), atol=1e-6)


def test_a_model_that_predicts_otherwise_is_refused():
    net = classifier().fit(X, y)
    with pytest.raises(ValueError, match="must differ by at most tol=0"):
        to_onnx(net, X=X.astype(np.float64), tol=0)


def test_an_unfitted_estimator_is_refused():
    with pytest.raises(NotFittedError):
        to_onnx(classifier(), X=X)


def test_old_operators_are_refused():
    register()
    with pytest.raises(ValueError, match="target_opset must be 18"):
        skl2onnx.to_onnx(TruncatedSVDReducer(2).fit(X), X[:1], target_opset=15)
