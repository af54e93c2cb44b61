"""The activations of a layer are those of the network, and nothing else changes."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sksparse_nn import (
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
)
from sksparse_nn.inspection import explained_variance
from sksparse_nn.modules._hooks import watch_activation
from sksparse_nn.modules._perceptron import stays_sparse


def activations(estimator, X, **parameters):
    return LayerActivations(FrozenEstimator(estimator), **parameters).fit_transform(X)


def naive(module, X, n_layers):
    """Run the first layers by hand."""
    with torch.no_grad():
        return module.eval()[:n_layers](torch.from_numpy(X)).numpy()


def hooks(module):
    return [
        hook
        for part in module.modules()
        for hook in (*part._forward_hooks, *part._forward_pre_hooks)
    ]


@pytest.mark.parametrize(
    ("layer", "n_layers"),
    [("0", 1), ("1", 2), (3, 4), (4, 5), (-2, 6), (-1, 7), ("6", 7), (None, 6)],
)
def test_they_equal_a_forward_pass_by_hand(net, digits, layer, n_layers):
    X = digits[0]
    found = activations(net, X, layer=layer)
    assert found.dtype == np.float32
    expected = naive(net.net_.module_, X, n_layers)
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 7, 10_000])
def test_the_size_of_batches_does_not_matter(net, digits, batch_size):
    X = digits[0]
    found = activations(net, X, batch_size=batch_size)
    assert_allclose(found, activations(net, X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["0", "1", None])
def test_sparse_rows_give_what_dense_rows_give(layer):
    X = sparse.random(80, 60, density=0.05, format="csr", random_state=0)
    X = X.astype(np.float32)
    net = SparseNetClassifier((6,), max_epochs=2, random_state=0)
    net.fit(X, np.arange(80) % 2)
    assert stays_sparse(X, net.net_.module_)
    found, expected = (activations(net, rows, layer=layer) for rows in (X, X.toarray()))
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_input_is_the_last_hidden_layer_of_a_linear_network(digits):
    X, y = digits
    linear = SparseNetClassifier((), max_epochs=1).fit(X, y)
    assert_array_equal(activations(linear, X), X)


def test_a_network_of_doubles_answers_doubles(digits):
    X, y = digits[0].astype(np.float64), digits[1]
    net = SparseNetClassifier((8,), max_epochs=1).fit(X, y)
    assert activations(net, X).dtype == np.float64


def test_hooks_are_gone_afterwards(net, digits):
    activations(net, digits[0])
    assert hooks(net.net_.module_) == []


def test_hooks_are_gone_after_a_failure(net, digits):
    module = net.net_.module_

    def fail(rows):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), watch_activation(module, "1", fail):
        net.predict(digits[0])
    assert hooks(module) == []


def test_modes_of_layers_are_put_back(digits):
    module = torch.nn.Sequential(
        torch.nn.Linear(64, 8), torch.nn.Dropout(), torch.nn.Linear(8, 10)
    )
    net = NeuralNetClassifier(module, max_epochs=1, verbose=0, train_split=None)
    net.fit(digits[0], digits[1])
    net.module_.train()
    net.module_[2].eval()
    transformer = LayerActivations(FrozenEstimator(net)).fit(digits[0])
    inside = transformer.estimator_.module_
    first, second = (transformer.transform(digits[0]) for _ in range(2))
    assert_array_equal(first, second)
    assert [part.training for part in inside] == [True, True, False]


def test_torch_is_left_as_it_was(net, digits):
    torch.manual_seed(7)
    state = torch.get_rng_state()
    with torch.enable_grad():
        activations(net, digits[0])
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
    assert torch.equal(torch.get_rng_state(), state)


def test_other_threads_see_nothing(net, digits):
    X, seen = digits[0], []
    with (
        watch_activation(net.net_.module_, "1", seen.append),
        ThreadPoolExecutor(1) as pool,
    ):
        pool.submit(net.predict, X).result()
    assert seen == []


def test_threads_at_once_get_what_one_gets(net, digits):
    X = digits[0]
    transformer = LayerActivations(FrozenEstimator(net), batch_size=50).fit(X)
    expected = transformer.transform(X)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(transformer.transform, [X] * 9):
            assert_array_equal(found, expected)


def test_a_frozen_network_is_copied_as_it_is(net, digits):
    transformer = LayerActivations(FrozenEstimator(net)).fit(digits[0])
    assert transformer.estimator_ is not net
    assert_array_equal(
        transformer.estimator_.predict(digits[0]), net.predict(digits[0])
    )


def test_any_other_network_is_cloned_and_fitted(digits):
    net = SparseNetClassifier((8,), max_epochs=2, random_state=0)
    transformer = LayerActivations(net).fit(*digits)
    assert not hasattr(net, "net_")
    expected = activations(clone(net).fit(*digits), digits[0])
    assert_array_equal(transformer.transform(digits[0]), expected)


WRAPPED = {
    "pipeline": lambda net: make_pipeline(StandardScaler(), net),
    "neurons": lambda net: NetPruner(net, structure="neuron"),
    "weights": lambda net: NetPruner(net, amount=0.5),
    "int8": NetQuantizer,
    "rank": lambda net: NetFactorizer(net, rank=3),
    "all": lambda net: NetQuantizer(make_pipeline(StandardScaler(), NetPruner(net))),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_pipelines_and_compressors_are_looked_into(digits, name):
    net = SparseNetClassifier((16,), learning_rate=0.01, max_epochs=3, random_state=0)
    model = WRAPPED[name](net).fit(*digits)
    logits = activations(model, digits[0], layer=-1)
    found = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
    assert_allclose(found, model.predict_proba(digits[0]), atol=1e-5)
    assert activations(model, digits[0]).shape[0] == 600


class Images(torch.nn.Module):
    """A small convolutional network, whose ReLU works in place."""

    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(1, 3, 3)
        self.relu = torch.nn.ReLU(inplace=True)
        self.idle = torch.nn.Linear(2, 2)
        self.norm = torch.nn.BatchNorm2d(3)
        self.out = torch.nn.Linear(3 * 36, 10)

    def forward(self, X):
        X = self.norm(self.relu(self.convolution(X)))
        return torch.softmax(self.out(self.relu(X).flatten(1)), dim=1)


@pytest.fixture(scope="module")
def images(digits):
    X = digits[0].reshape(-1, 1, 8, 8)
    net = NeuralNetClassifier(Images, max_epochs=2, verbose=0, train_split=None)
    return net.fit(X, digits[1]), X


def test_convolutions_are_flattened(images):
    net, X = images
    found = activations(net, X, layer="convolution")
    with torch.no_grad():
        expected = net.module_.convolution(torch.from_numpy(X)).flatten(1).numpy()
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert found.min() < 0  # though the ReLU behind overwrites them


def test_doubles_are_cast_for_a_net_of_skorch(images):
    net, X = images
    assert activations(net, X.astype(np.float64)).dtype == np.float32


def test_layers_that_do_not_run_once_are_refused(images):
    net, X = images
    with pytest.raises(ValueError, match=r"'relu' must run once.*ran 2 times"):
        activations(net, X, layer="relu")
    with pytest.raises(ValueError, match=r"'idle' must run once.*ran 0 times"):
        activations(net, X, layer="idle")


class Recurrent(torch.nn.Module):
    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.cells = torch.nn.LSTM(1, 4, batch_first=False)
        self.out = torch.nn.Linear(4, n_outputs)

    def forward(self, X):
        states, _ = self.cells(X.T[:, :, None])
        return self.out(torch.nn.Identity()(states[-1]))


def test_what_is_no_tensor_is_refused(digits):
    net = SparseNetClassifier(module=Recurrent, max_epochs=1).fit(*digits)
    with pytest.raises(ValueError, match="'cells' must have an activation of one row"):
        activations(net, digits[0], layer="cells")
    assert activations(net, digits[0]).shape == (600, 4)


def test_unknown_layers_are_refused_with_the_names(net, digits):
    with pytest.raises(ValueError, match=r"\['0', '1', .* '6'\]. Got 'hidden'"):
        activations(net, digits[0], layer="hidden")
    with pytest.raises(ValueError, match=r"position among the 7 layers.* Got 7"):
        activations(net, digits[0], layer=7)


def test_a_network_without_a_linear_layer_needs_a_name(digits):
    class Shift(torch.nn.Module):
        def __init__(self, n_features, n_outputs):
            super().__init__()
            self.shift = torch.nn.Parameter(torch.zeros(n_outputs))

        def forward(self, X):
            return X[:, : len(self.shift)] + self.shift

    net = SparseNetClassifier(module=Shift, max_epochs=1).fit(*digits)
    with pytest.raises(ValueError, match="layer=None needs a network with a linear"):
        activations(net, digits[0])


def test_what_has_no_network_is_refused(digits):
    with pytest.raises(TypeError, match="Got LogisticRegression"):
        LayerActivations(LogisticRegression()).fit(*digits)


def test_a_frozen_network_must_be_fitted(digits):
    frozen = FrozenEstimator(SparseNetClassifier())
    with pytest.raises(NotFittedError):
        LayerActivations(frozen).fit(digits[0])


def test_a_failing_fit_leaves_the_former_one(net, digits):
    transformer = LayerActivations(FrozenEstimator(net)).fit(digits[0])
    with pytest.raises(ValueError, match="Got 'hidden'"):
        transformer.set_params(layer="hidden").fit(digits[0])
    transformer.set_params(layer=None)
    assert transformer.transform(digits[0]).shape == (600, 16)


def test_names_of_units_count_them(net, digits):
    frame = pd.DataFrame(digits[0]).rename(columns="pixel{}".format)
    named = clone(net).set_params(max_epochs=1).fit(frame, digits[1])
    transformer = LayerActivations(FrozenEstimator(named)).fit(frame)
    assert list(transformer.feature_names_in_) == list(frame.columns)
    found = transformer.set_output(transform="pandas").transform(frame)
    assert list(found.columns) == [f"layeractivations{i}" for i in range(16)]


def test_copies_answer_the_same(net, digits):
    transformer = LayerActivations(FrozenEstimator(net)).fit(digits[0])
    copy = pickle.loads(pickle.dumps(transformer))
    assert_array_equal(copy.transform(digits[0]), transformer.transform(digits[0]))


def test_one_row_is_enough(net, digits):
    assert activations(net, digits[0][:1]).shape == (1, 16)


@pytest.mark.parametrize(
    "coder",
    [
        SparseDictionaryCoder(24, algorithm="omp", max_epochs=2, random_state=0),
        TopKAutoencoder(24, max_epochs=200, random_state=0),
    ],
)
def test_dictionaries_of_activations_are_searched(net, digits, coder):
    X = digits[0]
    pipeline = make_pipeline(LayerActivations(FrozenEstimator(net)), coder)
    grid = {
        f"{pipeline.steps[1][0]}__n_nonzero_coefs": [1, 6],
        "layeractivations__layer": [1, 4],
    }

    def kept(fitted, X, y=None):
        rows = fitted[0].transform(X)
        return explained_variance(
            rows, fitted[1].inverse_transform(fitted.transform(X))
        )

    search = GridSearchCV(pipeline, grid, scoring=kept, cv=2, error_score="raise")
    search.fit(X)
    assert search.best_params_[f"{pipeline.steps[1][0]}__n_nonzero_coefs"] == 6
    assert search.best_score_ > 0.5


def test_codes_of_activations_tell_classes_apart(net, digits):
    X, y = digits
    pipeline = make_pipeline(
        LayerActivations(
            SparseNetClassifier((16,), learning_rate=0.02, random_state=0)
        ),
        SparseDictionaryCoder(
            24, algorithm="omp", n_nonzero_coefs=4, max_epochs=2, random_state=0
        ),
        LogisticRegression(max_iter=500),
    )
    grid = {"layeractivations__estimator__max_epochs": [1, 15]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_score_ > 0.7


def test_regressors_are_looked_into():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    net = SparseNetRegressor((7,), max_epochs=2, random_state=0).fit(X, X[:, :2])
    assert activations(net, X).shape == (60, 7)
    standardised = activations(net, X, layer=-1)
    correlation = np.corrcoef(standardised[:, 0], net.predict(X)[:, 0])[0, 1]
    assert correlation == pytest.approx(1)
