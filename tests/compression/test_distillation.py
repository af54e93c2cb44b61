"""Training of smaller networks on the outputs of the original."""

import pickle
from copy import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNet

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn._pipelines import last_step
from sksparse_nn.neural._distillation import Teacher
from tests.compression.other_networks import LABELS, NETWORKS, X, answers, fitted

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHORT = {"max_epochs": 20, "learning_rate": 0.01, "random_state": 0}
OURS = {
    "classes": (SparseNetClassifier((32,), **SHORT), LABELS),
    "labels": (SparseNetClassifier((32,), **SHORT), np.eye(10, dtype=int)[LABELS]),
    "numbers": (SparseNetRegressor((32,), **SHORT), LABELS.astype(float)),
    "counts": (SparseNetRegressor((32,), loss="poisson", **SHORT), LABELS + 1.0),
    "codes": (
        SparseNetClassifier((), coder=SparseDictionaryCoder(16, alpha=0.1), **SHORT),
        LABELS,
    ),
    "mixed images": (
        SparseNetClassifier(
            module="plain_conv_net", image_shape=(1, 8, 8), augment="mixup", **SHORT
        ),
        LABELS,
    ),
}
WAYS = {
    "weights": lambda net, **given: NetPruner(net, amount=0.8, **given),
    "channels": lambda net, **given: NetPruner(
        net, amount=0.5, structure="channel", **given
    ),
    "step by step": lambda net, **given: NetPruner(net, amount=0.8, n_steps=2, **given),
    "factors": lambda net, **given: NetFactorizer(net, rank=3, refit=False, **given),
}
DISTILLED = {"fine_tune_epochs": 3, "distill": True}
HAS_ATOMS_ALONE = {("codes", "channels"), ("codes", "factors")}


@pytest.fixture(scope="module", params=[*OURS, *NETWORKS])
def given(request):
    if request.param in NETWORKS:
        return request.param, *fitted(request.param)
    net, y = OURS[request.param]
    return request.param, make_pipeline(StandardScaler(), net).fit(X, y), X, y


@pytest.mark.parametrize("way", WAYS)
def test_outputs_come_nearer_to_those_of_the_original_without_targets(given, way):
    name, net, X, _ = given
    if (name, way) in HAS_ATOMS_ALONE:
        pytest.skip("a layer of atoms has neither channels nor factors")
    frozen = FrozenEstimator(net)
    small = WAYS[way](frozen, **DISTILLED).fit(X)
    untrained = WAYS[way](frozen, fine_tune_epochs=0).fit(X)
    wanted = answers(net, X)
    lost = [np.abs(answers(model, X) - wanted).mean() for model in (small, untrained)]
    assert lost[0] < 1.05 * lost[1] + 1e-3
    network = last_step(small.estimator_)
    assert not {"teacher", "get_loss"} & set(vars(getattr(network, "net_", network)))


@pytest.mark.parametrize("way", ["weights", "factors"])
def test_targets_do_not_matter(given, way):
    name, net, X, y = given
    if (name, way) in HAS_ATOMS_ALONE:
        pytest.skip("a layer of atoms has neither channels nor factors")
    if isinstance(net, NeuralNet):
        net = copy(net).set_params(train_split=None)  # depends on targets
    frozen = FrozenEstimator(net)
    found = []
    for part in (y, y[::-1]):
        torch.manual_seed(0)  # nets of skorch draw their order from it
        small = WAYS[way](frozen, **DISTILLED).fit(X, part)
        found.append(answers(small, X))
    assert_array_equal(*found)


def test_a_teacher_is_not_saved():
    net, y = OURS["classes"]
    sizes = [
        len(pickle.dumps(NetPruner(net, **how).fit(X, y)))
        for how in (DISTILLED, DISTILLED | {"distill": False})
    ]
    assert abs(sizes[0] - sizes[1]) < 500


def test_weights_are_repetition():
    net, y = OURS["classes"]
    net = clone(net).set_params(batch_size=10_000, optimizer="sgd").fit(X, y)
    factorizer = NetFactorizer(FrozenEstimator(net), rank=3, **DISTILLED)
    weight = np.repeat([0, 1, 2], 100)
    one = clone(factorizer).fit(X, sample_weight=weight)
    other = clone(factorizer).fit(np.repeat(X, weight, axis=0))
    assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-4)


def test_distill_is_read_in_fine_tuning_only():
    net, y = OURS["classes"]
    for way in (NetPruner, NetFactorizer):
        with pytest.raises(ValueError, match="distill is read in the epochs"):
            way(net, fine_tune_epochs=0, distill=True).fit(X, y)


def twin_of_classes(outputs, wanted):
    p, q = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (wanted, outputs))
    return (p * np.log(p / q)).sum(1)


def twin_of_labels(outputs, wanted):
    p, q = (1 / (1 + np.exp(-x)) for x in (wanted, outputs))
    return (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean(1)


def twin_of_numbers(outputs, wanted):
    return ((outputs - wanted) ** 2 / 2).mean(1)


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("classes", twin_of_classes),
        ("labels", twin_of_labels),
        ("numbers", twin_of_numbers),
    ],
)
def test_losses_are_those_of_the_definition(name, twin):
    net, y = OURS[name]
    teacher = Teacher(None, net.fit(X, y).net_)
    rng = np.random.default_rng(0)
    outputs, wanted = rng.normal(size=(2, 7, 4))
    weight = rng.random(7)
    given = torch.from_numpy(outputs), torch.from_numpy(wanted)
    losses = twin(outputs, wanted)
    assert_allclose(teacher.loss(*given), losses.mean())
    found = teacher.loss(*given, torch.from_numpy(weight))
    assert_allclose(found, (weight * losses).mean())
    assert_allclose(teacher.loss(given[1], given[1]), 0, atol=1e-15)


@pytest.mark.parametrize("name", ["classes", "labels", "numbers"])
def test_a_network_that_lost_nothing_stays_as_it_is(name):
    net, y = OURS[name]
    net = net.fit(X, y)
    whole = NetPruner(FrozenEstimator(net), amount=0.0, **DISTILLED).fit(X)
    assert_allclose(answers(whole, X), answers(net, X), atol=1e-6)
