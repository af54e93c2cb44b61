"""Losses that a user has written."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional

from sksparse_nn import SparseNetClassifier, SparseNetRegressor


def cross_entropy(output, target):
    return functional.cross_entropy(output, target, reduction="none")


def binary(output, target):
    return functional.binary_cross_entropy_with_logits(output, target, reduction="none")


def half_square(output, target):
    return (output - target).square() / 2


def half_square_of_rows(output, target):
    return half_square(output, target).mean(dim=1)


def one_number(output, target):
    return functional.mse_loss(output, target)


SAME = {
    "classes": (SparseNetClassifier, cross_entropy, 1),
    "torch's": (SparseNetClassifier, torch.nn.CrossEntropyLoss(reduction="none"), 1),
    "labels": (SparseNetClassifier, binary, 2),
    "numbers": (SparseNetRegressor, half_square, 2),
    "rows": (SparseNetRegressor, half_square_of_rows, 2),
}


@pytest.mark.parametrize("name", SAME)
def test_the_package_s_own_losses_can_be_written_by_hand(blobs, name):
    network, loss, ndim = SAME[name]
    X, y = blobs
    y = y if ndim == 1 else np.eye(3, dtype=int)[y]
    weight = np.random.default_rng(0).random(90)
    outputs = []
    for own in ({}, {"loss": loss}):
        net = network((8,), learning_rate=0.02, max_epochs=4, random_state=0, **own)
        outputs.append(net.fit(X, y, sample_weight=weight)._outputs(X))
        assert net.history_["train_loss"][-1] < net.history_["train_loss"][0]
    assert_allclose(*outputs, atol=1e-4)


@pytest.mark.parametrize(
    ("loss", "match"),
    [(one_number, 'reduction="none"'), (lambda output, target: 1.0, "of each row")],
)
@pytest.mark.parametrize("network", [SparseNetClassifier, SparseNetRegressor])
def test_a_loss_of_another_shape_is_refused(blobs, network, loss, match):
    X, y = blobs
    if network is SparseNetClassifier:
        y = np.eye(3, dtype=int)[y]
    with pytest.raises(ValueError, match=match):
        network(loss=loss).fit(X, y)


@pytest.mark.parametrize(
    ("network", "setting"),
    [
        (SparseNetClassifier, {"label_smoothing": 0.1}),
        (SparseNetRegressor, {"quantile": 0.5}),
        (SparseNetRegressor, {"epsilon": 1.0}),
    ],
    ids=str,
)
def test_a_setting_that_it_does_not_read_is_refused(blobs, network, setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        network(loss=half_square, **setting).fit(*blobs)


def test_class_weights_of_labels_want_a_number_per_label(blobs):
    X, y = blobs
    net = SparseNetClassifier(loss=half_square_of_rows, class_weight="balanced")
    with pytest.raises(ValueError, match="each label of a row"):
        net.fit(X, np.eye(3, dtype=int)[y])
