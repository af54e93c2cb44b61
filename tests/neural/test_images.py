"""Networks whose samples are images."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_val_score
from torch import nn

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn.modules import _run
from tests.neural.image_samples import SHAPE, classifier, convolutions, digits


class Seen(nn.Module):
    """Note the type and the shape of what a module gets, and its moments."""

    def __init__(self, n_features, n_outputs, notes):
        super().__init__()
        self.notes = notes
        self.last = nn.Sequential(nn.Flatten(), nn.Linear(n_features, n_outputs))

    def __deepcopy__(self, memo):
        return self

    def forward(self, images):
        self.notes.append(images.detach())
        return self.last(images)


def _in_order(X, order):
    return np.require(X, requirements=order)


def _on_disk(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


FORMS = {
    "images": lambda X, _: X,
    "strided images": lambda X, _: np.repeat(X, 2, axis=0)[::2],
    "channels last in memory": lambda X, _: (
        X.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    ),
    "images on disk": _on_disk,
    "rows": lambda X, _: X.reshape(len(X), -1),
    "Fortran rows": lambda X, _: _in_order(X.reshape(len(X), -1), "F"),
    "table": lambda X, _: pd.DataFrame(X.reshape(len(X), -1)).set_axis(
        range(128), axis=1
    ),
    "sparse rows": lambda X, _: sparse.csr_array(X.reshape(len(X), -1)),
    "lists": lambda X, _: X.astype(np.float32).tolist(),
    "floats": lambda X, _: X.astype(np.float32),
    "integers": lambda X, _: X.astype(np.int64),
}


@pytest.fixture(scope="module")
def fitted():
    return classifier().fit(*digits())


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_images_gives_the_same_network(form, fitted, tmp_path):
    X, y = digits()
    X = FORMS[form](X, tmp_path)
    found = classifier(image_shape=SHAPE).fit(X, y).predict_proba(X)
    assert_allclose(found, fitted.predict_proba(digits()[0]), atol=1e-5)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_bytes_are_never_made_floats_all_at_once(early_stopping, monkeypatch):
    X, y = digits()
    kept = []
    train = SparseNetClassifier._train
    monkeypatch.setattr(
        SparseNetClassifier,
        "_train",
        lambda self, net, samples, *rest, **options: (
            kept.append(samples.matrix),
            train(self, net, samples, *rest, **options),
        )[1],
    )
    classifier(early_stopping=early_stopping, max_epochs=2).fit(X, y)
    assert kept[0].dtype == np.uint8
    assert np.shares_memory(kept[0], X)


def test_a_module_gets_normalised_images():
    X, y = digits()
    notes = []
    classifier(
        module=Seen, module_params={"notes": notes}, batch_size=-1, max_epochs=1
    ).fit(X, y)
    images = max(notes, key=len)
    assert images.dtype == torch.float32
    assert images.shape == X.shape
    assert_allclose(images.mean((0, 2, 3)), 0, atol=1e-5)
    assert_allclose(images.std((0, 2, 3)), 1, atol=1e-3)


def test_a_module_may_ask_for_the_shape():
    shapes = []

    def module(n_features, n_outputs, image_shape):
        shapes.append((n_features, image_shape))
        return convolutions(n_features, n_outputs)

    classifier(module=module, max_epochs=1).fit(*digits())
    assert set(shapes) == {(128, SHAPE)}


def test_hidden_layers_take_images_too():
    X, y = digits()
    net = classifier(module=None, max_epochs=20).fit(X, y)
    assert net.score(X, y) > 0.9
    assert net.feature_importances_.shape == (128,)


def test_doubles_train_in_doubles():
    X, y = digits()
    net = classifier().fit(X.astype(np.float64), y)
    assert net.predict_proba(X.astype(np.float64)).dtype == np.float64


def test_whole_weights_act_as_repeated_images():
    X, y = digits()
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    options = {"batch_size": -1, "max_epochs": 3}
    weighted = classifier(**options).fit(X, y, sample_weight=weight)
    repeated = classifier(**options).fit(X.repeat(weight, 0), y.repeat(weight))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)


def test_a_constant_channel_stays_finite():
    X, y = digits()
    X = X.copy()
    X[:, 1] = 77
    assert np.isfinite(classifier().fit(X, y).predict_proba(X)).all()


def test_the_shape_is_learnt_and_forgotten():
    X, y = digits()
    net = classifier().fit(X, y)
    assert net.image_shape_ == SHAPE
    assert net.n_features_in_ == 128
    net.set_params(module=None).fit(X.reshape(len(X), -1) / 255, y)
    assert not hasattr(net, "image_shape_")


def test_one_channel_needs_no_axis():
    X, y = digits()
    gray = X[:, 0]
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    net = classifier(image_shape=(8, 8), module=module).fit(gray, y)
    assert net.image_shape_ == (1, 8, 8)
    assert_array_equal(net.predict(gray), net.predict(gray[:, None]))


def test_streams_of_images_are_learnt_from():
    X, y = digits()
    net = classifier()
    for _ in range(20):
        net.partial_fit(X, y, classes=np.arange(10))
    assert net.score(X, y) > 0.85


def test_a_warm_start_keeps_the_normalisation():
    X, y = digits()
    net = classifier(warm_start=True, max_epochs=1).fit(X, y)
    before = net.net_.module_.images.mean.clone()
    net.fit(X // 2, y)
    assert torch.equal(net.net_.module_.images.mean, before)


def test_numbers_are_predicted_from_images():
    X, y = digits()
    net = SparseNetRegressor(
        module=convolutions, learning_rate=0.01, max_epochs=30, random_state=0
    )
    assert net.fit(X, y).score(X, y) > 0.7


class Viewing(nn.Module):
    """Read images as they lie in memory."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first = nn.Conv2d(2, 8, 3, padding=1)
        self.last = nn.Linear(512, n_outputs)

    def forward(self, images):
        return self.last(self.first(images).view(len(images), -1))


wider = partial(convolutions, n_channels=8)


@pytest.mark.parametrize(
    ("module", "optimizer", "channels_last"),
    [
        (wider, "adamw", True),
        (convolutions, "adamw", False),
        (Viewing, "adamw", False),
        (wider, torch.optim.NAdam, False),
    ],
)
def test_channels_lie_side_by_side_where_a_module_can(module, optimizer, channels_last):
    X, y = digits()
    net = classifier(module=module, optimizer=optimizer, max_epochs=2).fit(X, y)
    assert net.net_.module_.images.channels_last == channels_last
    net.net_.module_.images.channels_last = False
    found = net.predict_proba(X)
    net.net_.module_.to(memory_format=torch.contiguous_format)
    assert_allclose(net.predict_proba(X), found, atol=1e-5)


def test_channels_of_a_smaller_network_are_ordered_again():
    X, y = digits()
    net = classifier(module=wider, max_epochs=2).fit(X, y)
    pruner = NetPruner(
        FrozenEstimator(net), amount=0.6, structure="channel", fine_tune_epochs=1
    )
    images = pruner.fit(X, y).estimator_.net_.module_[0]
    assert not images.channels_last
    assert net.net_.module_[0].channels_last


def test_images_are_cross_validated():
    X, y = digits()
    assert cross_val_score(classifier(max_epochs=15), X, y, cv=2).mean() > 0.7


def test_a_tuned_coder_takes_bytes():
    X, y = digits()
    coder = ImagePatchCoder(
        8, image_shape=SHAPE, patch_size=3, max_epochs=1, random_state=0
    )
    parameters = {"module": None, "hidden_layer_sizes": (), "coder": coder}
    options = {"image_shape": SHAPE, "max_epochs": 15, "learning_rate": 0.03}
    net = classifier(**parameters, **options).fit(X, y)
    assert net.score(X, y) > 0.85
    assert_allclose(
        net.predict_proba(X), net.predict_proba(X.astype(np.float32)), atol=1e-6
    )


@pytest.mark.parametrize(
    ("image_shape", "match"),
    [
        ((2, 8), "as many pixels"),
        ((8, 8, 2, 1), "must be"),
        ((0, 8), "must be"),
        ((2, 8.0, 8), "must be"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(image_shape, match):
    X, y = digits()
    net = classifier(image_shape=image_shape)
    with pytest.raises(ValueError, match=match):
        net.fit(X.reshape(len(X), -1), y)


@pytest.mark.parametrize("shape", [(8, 8, 2), (2, 16, 4), (128, 1)])
def test_images_of_another_shape_are_refused(shape, fitted):
    X, y = digits()
    with pytest.raises(ValueError, match="put the channels first"):
        fitted.predict(X.reshape(len(X), *shape))
    with pytest.raises(ValueError, match="put the channels first"):
        classifier(image_shape=SHAPE).fit(X.reshape(len(X), *shape), y)


def test_channels_that_come_last_are_told():
    X, y = digits()
    X = np.moveaxis(X, 1, 3)
    module = nn.Sequential(nn.Flatten(), nn.Linear(128, 10))
    with pytest.warns(UserWarning, match="Put the channels first"):
        classifier(module=module, max_epochs=1).fit(X, y)


def test_three_axes_need_a_shape():
    X, y = digits()
    with pytest.raises(ValueError, match="set image_shape"):
        classifier().fit(X[:, 0], y)


def test_rows_for_a_module_that_wants_images_are_refused_in_words():
    X, y = digits()
    with pytest.raises(ValueError, match="rows of n_features=128"):
        classifier().fit(X.reshape(len(X), -1), y)


def test_blocks_of_predictions_are_bounded_by_activations(fitted, monkeypatch):
    X, _ = digits()
    before = fitted.predict_proba(X)
    rows = X.reshape(len(X), -1)
    n_rows = _run.rows_per_block(fitted.net_.module_, rows, 16)
    monkeypatch.setattr(_run, "_ACTIVATIONS", 2**16)
    fewer = _run.rows_per_block(fitted.net_.module_, rows, 16)
    assert fewer < len(X) < n_rows
    # Four times the largest activation, which are the images.
    assert fewer == 2**16 // (4 * 4 * 128)
    assert_allclose(fitted.predict_proba(X), before, atol=1e-6)


def test_a_network_of_rows_says_that_it_takes_no_images():
    X = np.random.default_rng(0).random((20, 1, 3, 3))
    net = SparseNetClassifier((4,), max_epochs=1)
    net.fit(X.reshape(20, 9), np.arange(20) % 2)
    with pytest.raises(ValueError, match=r"rows of features, as .* flatten each"):
        net.predict(X)
