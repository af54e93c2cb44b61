"""What a report counts of skorch nets, of MLPs, and of networks of all kinds."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNet, NeuralNetClassifier
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    compression_report,
    for_prediction,
)
from tests.compression.architectures import KNOWN, ReadsWeights
from tests.compression.other_networks import (
    IMAGES,
    LABELS,
    NETWORKS,
    Convolutions,
    Layers,
    X,
    answers,
    fitted,
    skorch_net,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
REPORTED = [name for name in NETWORKS if name != "plain net"]


def _untrained(module, kind=NeuralNetClassifier):
    torch.manual_seed(0)
    return kind(module, criterion=nn.CrossEntropyLoss, verbose=0).initialize()


def _torch_count(module, X):
    rows = torch.from_numpy(X[:1])
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module.eval()(rows)
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("name", KNOWN)
def test_multiply_adds_are_those_of_torchs_counter(name):
    net = _untrained(KNOWN[name]())
    report = compression_report({"it": net}, X, LABELS)
    assert report.multiply_adds["it"] == _torch_count(net.module_, X) > 0
    n_parameters = sum(weight.numel() for weight in net.module_.parameters())
    assert report.parameters["it"] == n_parameters


class Product(nn.Module):
    """Multiply without a layer."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 10)

    def forward(self, X):
        rows = X.reshape(-1, 8, 8)
        return self.head((rows @ rows.mT).mean(dim=1))


@pytest.mark.parametrize("make", [NetPruner, NetQuantizer, NetFactorizer])
def test_work_without_a_layer_is_counted(make):
    net = _untrained(Product())
    small = make(FrozenEstimator(net)).fit(X, LABELS)
    report = compression_report({"it": net, "small": small}, X, LABELS)
    assert report.multiply_adds["it"] == _torch_count(net.module_, X) == 8**3 + 80
    assert 8**3 < report.multiply_adds["small"] <= 8**3 + 80


def test_layers_that_a_prediction_does_not_call_are_named():
    net = _untrained(ReadsWeights())
    with pytest.warns(UserWarning, match=r"does not call: Linear \('first'\)"):
        report = compression_report({"it": net}, X, LABELS)
    assert report.multiply_adds["it"] == 64 * 20 + 20 * 10


@pytest.mark.parametrize("name", REPORTED)
def test_other_networks_have_a_row(name):
    net, X, y = fitted(name)
    small = NetQuantizer(FrozenEstimator(net)).fit(X, y)
    report = compression_report({"float": net, "int8": small}, X, y)
    score = report.iloc[:, 0]
    assert score["float"] == net.score(X, y)
    assert score["int8"] == small.score(X, y)
    assert report.bytes_memory["int8"] < 0.5 * report.bytes_memory["float"]
    assert (report[["latency_1", "bytes_disk", "bytes_activations"]] > 0).all(axis=None)


ACTIVATIONS = {
    "linear": (lambda: nn.Sequential(nn.Linear(64, 24), nn.Linear(24, 10)), 64 + 24),
    "images": (Convolutions, 512 + 512),
    "in place": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(288, 10)
        ),
        64 + 288,
    ),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_the_largest_input_and_output_of_a_layer(name):
    make, n_numbers = ACTIVATIONS[name]
    rows = X if name == "linear" else IMAGES
    report = compression_report({"it": _untrained(make())}, rows, LABELS)
    assert report.bytes_activations["it"] == 4 * n_numbers


def test_a_compiled_net_has_a_row():
    plain = _untrained(Layers())
    net = _untrained(Layers())
    net.module_ = torch.compile(net.module_, backend="eager")
    report = compression_report({"plain": plain, "compiled": net}, X, LABELS)
    assert report.multiply_adds["compiled"] == report.multiply_adds["plain"]
    assert hasattr(net.module_, "_orig_mod")


@pytest.mark.parametrize("name", NETWORKS)
def test_what_predictions_need_is_enough(name):
    net, X, y = fitted(name)
    small = NetPruner(FrozenEstimator(net), fine_tune_epochs=1).fit(X, y)
    for estimator in (net, small):
        slim = pickle.loads(pickle.dumps(for_prediction(estimator)))
        assert_array_equal(answers(slim, X), answers(estimator, X))
        assert len(pickle.dumps(slim)) < len(pickle.dumps(estimator))


def test_a_given_module_is_not_stored_beside_the_net():
    net = skorch_net(
        NeuralNetClassifier,
        Layers(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=1,
    ).fit(X, LABELS)
    slim = for_prediction(NetQuantizer(net).fit(X, LABELS))
    n_weights = sum(weight.numel() for weight in net.module_.parameters())
    assert len(pickle.dumps(slim)) < 2 * n_weights + 8000
    with pytest.raises(ValueError, match="left out the Layers"):
        clone(slim).fit(X, LABELS)
    assert len(net.history) == 1


def test_an_mlp_is_stored_without_the_state_of_its_training():
    mlp = MLPClassifier((400,), max_iter=2, random_state=0).fit(X, LABELS)
    n_bytes = sum(part.nbytes for part in mlp.coefs_)
    assert len(pickle.dumps(for_prediction(mlp))) < 1.2 * n_bytes
    slim = for_prediction(mlp).partial_fit(X, LABELS)
    assert np.isfinite(slim.predict_proba(X)).all()


def test_a_net_without_a_score_is_refused():
    net = _untrained(Layers(), kind=NeuralNet)
    with pytest.raises(TypeError, match="Got NeuralNet; use NeuralNetClassifier"):
        compression_report({"it": net}, X, LABELS)
