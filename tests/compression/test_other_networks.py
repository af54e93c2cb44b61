"""Compressors around skorch nets and MLPs of scikit-learn."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier
from torch import nn

from sksparse_nn import NetFactorizer, NetPruner, NetQuantizer, SparseNetClassifier
from sksparse_nn._pipelines import last_step
from tests.compression import other_networks
from tests.compression.compressors import Steps
from tests.compression.other_networks import (
    IMAGES,
    LABELS,
    NETWORKS,
    Convolutions,
    X,
    answers,
    loss,
    skorch_net,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALLER = {
    "weights": lambda net: NetPruner(net, amount=0.3, fine_tune_epochs=0),
    "weights, first order": lambda net: NetPruner(
        net, amount=0.3, criterion="first_order", n_steps=2, fine_tune_epochs=1
    ),
    "dynamic": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "rank": lambda net: NetFactorizer(net, rank=0.99, fine_tune_epochs=1),
    "answers": NetFactorizer,
    "factors, then integers": lambda net: NetQuantizer(NetFactorizer(net)),
}
NOTHING = {
    "no weights": lambda net: NetPruner(net, amount=0, fine_tune_epochs=0),
    "full rank": lambda net: NetFactorizer(net, rank=1000),
}
FRAMES = {
    "alone": lambda net: net,
    "in a pipeline": lambda net: make_pipeline(FunctionTransformer(), net),
}
every_network = pytest.mark.parametrize("name", NETWORKS)
every_frame = pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
every_way = pytest.mark.parametrize("make", SMALLER.values(), ids=SMALLER)


@pytest.fixture(scope="module")
def fitted():
    """Return a fitted network of the table and its data, fitted once."""
    known = {}

    def fit(name):
        if name not in known:
            known[name] = other_networks.fitted(name)
        return known[name]

    return fit


@every_network
@every_frame
@pytest.mark.parametrize("make", NOTHING.values(), ids=NOTHING)
def test_answers_are_kept_where_nothing_is_removed(fitted, make, frame, name):
    net, X, y = fitted(name)
    small = make(FrozenEstimator(frame(net))).fit(X, y)
    assert_allclose(answers(small, X), answers(net, X), atol=2e-6)
    if is_classifier(net):
        assert_array_equal(small.predict(X[:40]), net.predict(X[:40]))
    assert small.predict(X).dtype == net.predict(X).dtype


@every_network
@every_way
def test_answers_are_nearly_kept(fitted, make, name):
    net, X, y = fitted(name)
    before = answers(net, X)
    small = make(FrozenEstimator(net)).fit(X, y)
    found = answers(small, X)
    assert np.corrcoef(found.ravel(), before.ravel())[0, 1] > 0.8
    assert_array_equal(answers(net, X), before)
    assert_array_equal(answers(pickle.loads(pickle.dumps(small)), X), found)


@every_network
def test_clones_are_fitted_in_a_pipeline(name):
    net, X, y = NETWORKS[name]()
    small = NetQuantizer(make_pipeline(FunctionTransformer(), net))
    torch.manual_seed(0)
    found = answers(clone(small).fit(X, y), X)
    torch.manual_seed(0)
    assert_array_equal(found, answers(small.fit(X, y), X))
    assert not hasattr(net, "module_")
    assert not hasattr(net, "coefs_")
    with pytest.raises(NotFittedError):
        clone(small).predict(X)


@every_network
def test_kinds_and_labels_are_those_of_the_network(fitted, name):
    net, X, y = fitted(name)
    small = NetQuantizer(FrozenEstimator(net))
    assert is_classifier(small) == is_classifier(net)
    assert is_regressor(small) == is_regressor(net)
    small.fit(X, y)
    if hasattr(net, "classes_"):
        assert_array_equal(small.classes_, net.classes_)
    assert hasattr(small, "score") == hasattr(net, "score")
    if hasattr(net, "score"):
        assert small.score(X, y) == pytest.approx(net.score(X, y), abs=0.05)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "plain net"])
def test_fine_tuning_lowers_the_loss(fitted, name):
    net, X, y = fitted(name)
    losses = [
        loss(NetPruner(FrozenEstimator(net), amount=0.6, **given).fit(X, y), X, y)
        for given in ({"fine_tune_epochs": 0}, {"fine_tune_epochs": 6})
    ]
    assert losses[1] < losses[0]


@pytest.mark.parametrize("name", ["convolutions", "MLP, names"])
def test_learning_rates_are_searched(name):
    net, X, y = NETWORKS[name]()
    rate = "lr" if name == "convolutions" else "learning_rate_init"
    grid = {f"estimator__estimator__{rate}": [1e-6, 0.05]}
    search = GridSearchCV(NetQuantizer(NetFactorizer(net)), grid, cv=2).fit(X, y)
    assert search.best_params_ == {f"estimator__estimator__{rate}": 0.05}
    assert search.score(X, y) > 0.5


def test_pruned_weights_stay_zero_in_the_nets_own_training(fitted):
    net, X, y = fitted("convolutions")
    n_before, n_epochs = Steps.taken, len(net.history)
    small = NetPruner(FrozenEstimator(net), amount=0.7, fine_tune_epochs=3)
    small.fit(X, y)
    assert Steps.taken - n_before == 3 * 8  # 240 of 300 rows, in batches of 32
    module = small.estimator_.module_
    weights = [module.body[0].weight, module.body[3].weight, module.head.weight]
    n_zeros = sum(int((weight == 0).sum()) for weight in weights)
    n_weights = sum(weight.numel() for weight in weights)
    assert n_zeros == pytest.approx(0.7 * n_weights, abs=1)
    history = small.estimator_.history
    assert history[:, "epoch"] == list(range(1, n_epochs + 4))
    assert small.estimator_.max_epochs == net.max_epochs
    assert small.estimator_.lr == net.lr
    assert len(net.history) == n_epochs


def test_a_sparse_matrix_is_answered_as_a_dense_one(fitted):
    net, X, y = fitted("MLP, names")
    small = NetQuantizer(FrozenEstimator(net)).fit(sparse.csr_array(X), y)
    dense = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    found = small.predict_proba(sparse.csr_array(X))
    assert_allclose(found, dense.predict_proba(X), rtol=1e-4, atol=1e-6)


def test_weights_of_samples_reach_an_mlp():
    weight = (LABELS < 5).astype(float)
    net = MLPClassifier((24,), max_iter=30, random_state=0)
    small = NetPruner(net, amount=0.2).fit(X, LABELS, sample_weight=weight)
    assert np.mean(small.predict(X) < 5) > 0.9


def test_neurons_of_an_mlp_are_removed(fitted):
    net, X, y = fitted("MLP, names")
    small = NetPruner(FrozenEstimator(net), structure="neuron").fit(X, y)
    assert isinstance(small.estimator_, SparseNetClassifier)
    assert small.estimator_.net_.module_[0].out_features == 12
    assert small.score(X, y) > net.score(X, y) - 0.1


def test_a_trained_module_alone_is_compressed_in_a_frozen_net(fitted):
    trained, X, y = fitted("convolutions")
    net = NeuralNetClassifier(
        trained.module_, criterion=nn.CrossEntropyLoss, classes=range(10), verbose=0
    ).initialize()
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    assert_array_equal(small.classes_, range(10))
    assert_allclose(small.predict_proba(X), trained.predict_proba(X), atol=0.1)
    assert all(weight.requires_grad for weight in trained.module_.parameters())


def test_the_net_of_a_pipeline_sees_what_its_steps_return():
    def images(Z):
        return Z.reshape(-1, 1, 8, 8)

    net, _, y = NETWORKS["convolutions"]()
    model = make_pipeline(FunctionTransformer(images), net)
    small = NetQuantizer(NetFactorizer(model)).fit(X, y)
    assert isinstance(last_step(small), NeuralNetClassifier)
    assert small.predict(X).shape == (300,)


class _Pair(nn.Module):
    """Return the logits and something else."""

    def __init__(self):
        super().__init__()
        self.inner = Convolutions()

    def forward(self, X):
        return self.inner(X), X.mean()


class _PairNet(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return super().get_loss(y_pred[0], y_true, *args, **kwargs)


@every_way
def test_modules_may_return_tuples(make):
    net = skorch_net(_PairNet, _Pair, criterion=nn.CrossEntropyLoss, max_epochs=3)
    net.fit(IMAGES, LABELS)
    small = make(FrozenEstimator(net)).fit(IMAGES, LABELS)
    assert small.score(IMAGES, LABELS) > net.score(IMAGES, LABELS) - 0.2


def test_channels_of_modules_that_return_tuples_are_removed():
    pytest.importorskip("torch_pruning")
    net = skorch_net(_PairNet, _Pair, criterion=nn.CrossEntropyLoss, max_epochs=3)
    small = NetPruner(FrozenEstimator(net.fit(IMAGES, LABELS)), structure="channel")
    assert small.fit(IMAGES, LABELS).score(IMAGES, LABELS) > 0.5
