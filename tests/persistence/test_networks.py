"""Networks of all settings through a file of skops."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from skops.io.exceptions import UntrustedTypesFoundException
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, EpochScoring
from torch import nn

from sksparse_nn import (
    ImagePatchCoder,
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    SparseNetRegressor,
    for_prediction,
)
from tests.compression.test_networks_for_images import NAMES, SMALLER
from tests.neural.coders import CODERS
from tests.neural.image_samples import SHAPE, classifier, digits
from tests.persistence.saving import assert_same_bits, through_skops, untrusted_types

pytestmark = pytest.mark.filterwarnings("ignore")

HERE = "tests.persistence.test_networks"


def rows():
    X, y = load_digits(return_X_y=True)
    return (X[:200, :5] / 16 + 0.1).astype(np.float32), y[:200] % 3


def net(**parameters):
    return SparseNetClassifier((6,), max_epochs=3, random_state=0).set_params(
        **parameters
    )


def assert_goes_on(estimator, X, y, *trusted):
    """Assert that an estimator and its twin predict and learn alike."""
    estimator.fit(X, y)
    twin = through_skops(estimator, *trusted)
    assert_same_bits(estimator, twin, X)
    for part in (estimator, twin):
        part.partial_fit(X, y).partial_fit(X[:50], y[:50])
    assert_same_bits(estimator, twin, X)


@pytest.mark.parametrize("tune_coder", [True, "all"])
@pytest.mark.parametrize("name", CODERS)
def test_coders_that_are_trained(name, tune_coder):
    estimator = net(coder=CODERS[name], tune_coder=tune_coder)
    try:
        estimator.fit(*rows())
    except ValueError:
        pytest.skip("this coder has no penalty that could be trained")
    assert_goes_on(estimator, *rows())


SETTINGS = {
    "weights are averaged": {"weight_averaging": 0.9},
    "validation": {"early_stopping": True, "n_iter_no_change": 2},
    "schedule by name": {"scheduler": "one_cycle"},
    "SGD": {"optimizer": "sgd"},
    "optimizer of torch": {"optimizer": torch.optim.NAdam},
    "L-BFGS": {"optimizer": torch.optim.LBFGS, "learning_rate": 0.1},
    "settings": {"optimizer_params": {"betas": (0.8, 0.9)}, "weight_decay": 0.1},
    "dropout": {"dropout": 0.3},
    "penalties": {"l1": 1e-3, "group_lasso": 1e-3},
    "noise": {"augment": "noise"},
    "device": {"device": torch.device("cpu")},
    "layer of torch": {"module": nn.Linear},
    "given module": {
        "module": nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    },
    "classes of torch": {"module": None, "activation": "gelu"},
    "last batch": {"batch_size": 16, "last_batch": "drop"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name):
    assert_goes_on(net(**SETTINGS[name]), *rows())


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
def test_several_labels(kind):
    X, y = rows()
    Y = kind(np.column_stack([y == 0, y > 0]).astype(int))
    multilabel = net().fit(X, Y)
    twin = through_skops(multilabel)
    assert type(twin.predict(X)) is type(multilabel.predict(X))
    assert_same_bits(multilabel, twin, X)


def test_labels_that_are_strings():
    X, y = rows()
    assert_goes_on(net(), X, np.array(["one", "two", "three"])[y])


@pytest.mark.parametrize("names", [list("abcde")])
def test_names_of_features(names):
    pd = pytest.importorskip("pandas")
    X, y = rows()
    estimator = net().fit(pd.DataFrame(X, columns=names), y)
    twin = through_skops(estimator)
    assert twin.feature_names_in_.tolist() == names


def test_rows_that_are_sparse():
    X, y = rows()
    wide = sparse.random_array((200, 400), density=0.02, rng=0, dtype=np.float32)
    X = sparse.hstack([sparse.csr_array(X * (X > 0.9)), wide], format="csr")
    estimator = net()
    assert_goes_on(estimator, X, y)
    weight = through_skops(estimator).net_.module_[0].weight
    assert weight.stride() == estimator.net_.module_[0].weight.stride()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers(dtype):
    X, y = rows()
    regressor = SparseNetRegressor((6,), max_epochs=3, random_state=0)
    assert_goes_on(regressor, X.astype(dtype), np.column_stack([X[:, 0], y * 1e6]))


@pytest.mark.parametrize("name", NAMES)
def test_networks_for_images_go_on(name):
    estimator = classifier(module=name, max_epochs=2, module_params={"width": 8})
    assert_goes_on(estimator, *digits())


@pytest.mark.parametrize("way", SMALLER)
@pytest.mark.parametrize("name", NAMES)
def test_networks_for_images_that_were_made_smaller(name, way):
    X, y = digits()
    big = classifier(module=name, max_epochs=2, module_params={"width": 8}).fit(X, y)
    small = SMALLER[way](FrozenEstimator(big)).fit(X, y)
    assert_same_bits(small, through_skops(small), X)


def test_channels_that_were_removed():
    X, y = digits()
    big = classifier(module="plain_conv_net", max_epochs=2)
    small = NetPruner(big, structure="channel", amount=0.4, fine_tune_epochs=1)
    small = NetQuantizer(small.fit(X, y).estimator_).fit(X, y)
    assert_same_bits(small, through_skops(small), X)


def test_kernels_of_low_rank():
    X, y = digits()
    big = classifier(module="plain_conv_net", max_epochs=2)
    small = NetFactorizer(big, method="tucker2", fine_tune_epochs=1).fit(X, y)
    assert_same_bits(small, through_skops(small), X)


@pytest.mark.parametrize("algorithm", ["soft_threshold", "triangle"])
def test_coders_of_patches(algorithm):
    X, y = digits()
    coder = ImagePatchCoder(
        6,
        image_shape=SHAPE,
        patch_size=3,
        algorithm=algorithm,
        max_epochs=1,
        random_state=0,
    )
    X = X.reshape(len(X), -1).astype(np.float32)
    assert_goes_on(net(coder=coder), X, y)
    small = NetQuantizer(net(coder=coder)).fit(X, y)
    assert_same_bits(small, through_skops(small), X)


TUNED = {
    "weights": lambda net: NetPruner(net, amount=0.4, fine_tune_epochs=2),
    "neurons": lambda net: NetPruner(
        net, structure="neuron", amount=0.4, fine_tune_epochs=2
    ),
    "factors": lambda net: NetFactorizer(net, rank=2, fine_tune_epochs=2),
    "integers": NetQuantizer,
}


@pytest.mark.parametrize("way", TUNED)
@pytest.mark.parametrize("coder", [None, CODERS["lasso"]], ids=["rows", "codes"])
def test_what_was_loaded_is_fine_tuned_alike(way, coder):
    X, y = rows()
    estimator = net(coder=coder).fit(X, y)
    twin = through_skops(estimator)
    small, other = (
        TUNED[way](FrozenEstimator(part)).fit(X, y) for part in (estimator, twin)
    )
    assert_same_bits(small, other, X)
    assert_same_bits(small, through_skops(other), X)
    slim = for_prediction(other)
    assert_same_bits(small, through_skops(slim), X)


def test_an_mlp_that_was_made_smaller():
    X, y = rows()
    small = NetPruner(MLPClassifier((8,), max_iter=5, random_state=0), amount=0.3)
    small.fit(X, y)
    assert_same_bits(small, through_skops(small), X)


class Own(nn.Module):
    """A module of the user, with another in it."""

    def __init__(self, n_features, n_outputs, width=4):
        super().__init__()
        self.into = nn.Linear(n_features, width)
        self.out = nn.Linear(width, n_outputs)
        self.register_buffer("shift", torch.ones(width))
        self.widths = [width, {"n_outputs": n_outputs}]

    def forward(self, X):
        return self.out(torch.relu(self.into(X) + self.shift))


def make_own(n_features, n_outputs):
    return nn.Sequential(nn.Linear(n_features, 4), nn.Tanh(), nn.Linear(4, n_outputs))


def own_loss(output, target):
    return nn.functional.cross_entropy(output, target, reduction="none")


class OwnOptimizer(torch.optim.SGD):
    pass


OWN = {
    "class": ({"module": Own, "module_params": {"width": 5}}, "Own"),
    "function": ({"module": make_own}, "make_own"),
    "object": ({"module": Own(5, 3)}, "Own"),
    "loss": ({"loss": own_loss}, "own_loss"),
    "optimizer": ({"optimizer": OwnOptimizer}, "OwnOptimizer"),
}


@pytest.mark.parametrize("name", OWN)
def test_what_is_the_users_appears_under_its_own_name(name):
    parameters, own = OWN[name]
    estimator = net(**parameters).fit(*rows())
    assert untrusted_types(estimator) == [f"{HERE}.{own}"]
    with pytest.raises(UntrustedTypesFoundException, match=own):
        through_skops(estimator)
    assert_goes_on(estimator, *rows(), f"{HERE}.{own}")


@pytest.mark.parametrize("way", ["weights", "factors", "integers"])
def test_modules_of_the_user_that_were_made_smaller(way):
    X, y = rows()
    small = TUNED[way](net(module=Own)).fit(X, y)
    assert untrusted_types(small) == [f"{HERE}.Own"]
    assert_same_bits(small, through_skops(small, f"{HERE}.Own"), X)


def test_a_slim_copy_of_a_given_module_needs_no_trust():
    X, y = rows()
    estimator = net(module=nn.Sequential(nn.Linear(5, 3))).fit(X, y)
    slim = for_prediction(estimator)
    assert untrusted_types(slim) == []
    twin = through_skops(slim)
    assert_same_bits(slim, twin, X)
    with pytest.raises(ValueError, match="copy for prediction"):
        twin.fit(X, y)


def test_partial_is_the_users_too():
    optimizer = partial(torch.optim.SGD, momentum=0.5)
    found = untrusted_types(net(optimizer=optimizer))
    assert found == ["functools.partial", "torch.optim.sgd.SGD"]
    assert_goes_on(net(optimizer=optimizer), *rows(), *found)


def test_callbacks_are_the_users_decision():
    callbacks = [("stop", EarlyStopping("train_loss")), EpochScoring("accuracy")]
    estimator = net(callbacks=callbacks, early_stopping=True)
    estimator.fit(*rows())
    found = untrusted_types(estimator)
    assert all(name.startswith(("skorch.", "builtins.print")) for name in found)
    assert {name.rpartition(".")[2] for name in found} >= {
        "EarlyStopping",
        "EpochScoring",
    }
    assert_goes_on(estimator, *rows(), *found)
    assert "accuracy" in through_skops(estimator, *found).history_


def test_activations_of_a_layer():
    X, y = rows()
    reader = LayerActivations(FrozenEstimator(net().fit(X, y)), layer="0").fit(X)
    assert_same_bits(reader, through_skops(reader), X)


def test_a_coder_of_scikit_learn():
    assert_goes_on(net(coder=StandardScaler(), tune_coder=False), *rows())


def test_a_net_of_skorch_is_not_trusted():
    X, y = rows()
    own = NeuralNetClassifier(
        Own,
        module__n_features=5,
        module__n_outputs=3,
        criterion=nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
    )
    small = NetQuantizer(own).fit(X, y.astype(np.int64))
    with pytest.raises(UntrustedTypesFoundException, match=r"skorch\.classifier"):
        through_skops(small)


def test_an_absent_device_becomes_the_cpu():
    estimator = net().fit(*rows())
    expected = estimator.predict_proba(rows()[0])
    estimator.net_.device = "cuda"
    twin = through_skops(estimator)
    assert torch.cuda.is_available() or twin.net_.device == "cpu"
    assert_array_equal(twin.predict_proba(rows()[0]), expected)


def test_files_are_read_in_inference_mode():
    estimator = net().fit(*rows())
    with torch.inference_mode():
        twin = through_skops(estimator)
    assert_array_equal(
        twin.partial_fit(*rows()).predict_proba(rows()[0]),
        estimator.partial_fit(*rows()).predict_proba(rows()[0]),
    )


class Noting(SparseNetClassifier):
    """A network that says what is stored of it."""

    def __getstate__(self):
        return super().__getstate__() | {"note_": "stored"}


def test_a_state_of_ones_own_is_pickled_and_saved():
    noting = Noting((6,), max_epochs=2, random_state=0).fit(*rows())
    for twin in (
        through_skops(noting, f"{HERE}.Noting"),
        pickle.loads(pickle.dumps(noting)),
        copy.deepcopy(noting),
    ):
        assert twin.note_ == "stored"
        assert_same_bits(noting, twin, rows()[0])


def test_a_record_that_is_no_number_is_refused():
    estimator = net().fit(*rows())
    estimator.net_.history[-1]["weights"] = np.ones(3)
    with pytest.raises(ValueError, match="record per epoch must be numbers"):
        through_skops(estimator)
