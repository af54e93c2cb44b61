"""Networks on a graphics card, where torch finds one."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNetClassifier

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
)
from tests.checks import parametrize_with_checks
from tests.compression.instances import COMPRESSORS
from tests.compression.other_networks import (
    IMAGES,
    LABELS,
    Convolutions,
    skorch_net,
)
from tests.inspection.instances import ACTIVATIONS
from tests.neural.instances import AUTOENCODERS, NETS

if not torch.cuda.is_available():
    pytest.skip("torch finds no CUDA device", allow_module_level=True)


def on_the_card(estimator):
    """Clone an estimator whose network lives on the card."""
    moved = clone(estimator)
    name = next(n for n in moved.get_params() if n.split("__")[-1] == "device")
    return moved.set_params(**{name: "cuda"})


@parametrize_with_checks(
    [on_the_card(e) for e in NETS + AUTOENCODERS + COMPRESSORS + ACTIVATIONS]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def classifier(device, **parameters):
    return SparseNetClassifier(
        (32,), max_epochs=5, device=device, random_state=0, **parameters
    )


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_it_learns_what_the_processor_learns(digits, container):
    X, y = container(digits[0]), digits[1]
    here, there = (classifier(device).fit(X, y) for device in ("cpu", "cuda"))
    assert next(there.net_.module_.parameters()).is_cuda
    assert_allclose(there.predict_proba(X), here.predict_proba(X), atol=1e-3)


def test_the_same_seed_gives_the_same_bits(digits):
    first, second = (classifier("cuda", dropout=0.2).fit(*digits) for _ in range(2))
    assert_array_equal(first.predict_proba(digits[0]), second.predict_proba(digits[0]))


def test_a_copy_answers_the_same(digits):
    net = classifier("cuda").fit(*digits)
    copy = pickle.loads(pickle.dumps(net))
    assert_array_equal(copy.predict_proba(digits[0]), net.predict_proba(digits[0]))
    assert_array_equal(
        copy.partial_fit(*digits).predict_proba(digits[0]),
        net.partial_fit(*digits).predict_proba(digits[0]),
    )


@pytest.mark.parametrize(
    "compressor",
    [
        NetPruner(None, amount=0.5),
        NetPruner(None, amount=0.5, structure="neuron", fine_tune_epochs=2),
        NetFactorizer(None, rank=8),
        NetQuantizer(None),
        NetQuantizer(None, scheme="static"),
        NetQuantizer(None, scheme="weight_only"),
    ],
    ids=repr,
)
def test_a_compressed_net_answers_what_it_does_on_the_processor(digits, compressor):
    X, y = digits
    here, there = (
        clone(compressor).set_params(estimator=classifier(device)).fit(X, y)
        for device in ("cpu", "cuda")
    )
    assert (here.predict(X) == there.predict(X)).mean() > 0.99
    report = compression_report({"here": here, "there": there}, X, y)
    assert report.bytes_memory["here"] == report.bytes_memory["there"]


@pytest.mark.parametrize("compressor", [NetPruner, NetQuantizer, NetFactorizer])
def test_nets_of_skorch_are_compressed(compressor):
    net = skorch_net(
        NeuralNetClassifier,
        Convolutions,
        criterion=torch.nn.CrossEntropyLoss,
        device="cuda",
    ).fit(IMAGES, LABELS)
    small = compressor(FrozenEstimator(net)).fit(IMAGES, LABELS)
    assert small.score(IMAGES, LABELS) > net.score(IMAGES, LABELS) - 0.2
    report = compression_report({"net": net, "small": small}, IMAGES, LABELS)
    assert (report.multiply_adds > 0).all()
