"""Random changes of the samples of mini-batches."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from skorch.callbacks import Callback
from torch import nn

from sksparse_nn import (
    ImagePatchCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn.neural._augmenting import mix_losses
from sksparse_nn.neural.augmentation import (
    AUGMENTATIONS,
    AbstractAugmentation,
    Cutout,
    Mirror,
    Mix,
    Mixup,
    Noise,
    Shift,
    Source,
)
from tests.neural.image_samples import SHAPE, classifier, digits

OBJECTS = [Mirror(), Shift(3), Shift(), Cutout(3), Cutout(), Mixup(1.0), Noise(0.3)]
OF_IMAGES = [step for step in OBJECTS if step.needs_images]
OF_ROWS = [step for step in OBJECTS if not step.needs_images]


def source(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Source(generator, torch.tensor([3.0, 5.0])[:, None, None], 2.0)


def images(n_images=500):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n_images, 2, 8, 9, generator=generator)


@pytest.mark.parametrize("step", OBJECTS)
def test_a_seed_gives_the_same_bits_on_any_number_of_threads(step):
    before = torch.get_num_threads()
    found = []
    for n_threads in (1, 2, 1):
        torch.set_num_threads(n_threads)
        found.append(step.apply(images(), source())[0])
    torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize("step", OBJECTS)
def test_other_numbers_give_other_samples(step):
    numbers = source()
    first, second = step.apply(images(), numbers)[0], step.apply(images(), numbers)[0]
    assert not torch.equal(first, second)


@pytest.mark.parametrize("step", OBJECTS)
def test_samples_keep_their_shape_and_are_not_overwritten(step):
    X = images()
    changed, _ = step.apply(X, source())
    assert changed.shape == X.shape
    assert torch.equal(X, images())


@pytest.mark.parametrize("step", OF_ROWS)
def test_rows_are_changed_too(step):
    X = images().flatten(1)
    assert step.apply(X, source())[0].shape == X.shape


def test_half_of_the_images_are_mirrored():
    X = images()
    changed, _ = Mirror().apply(X, source())
    same = (changed == X).flatten(1).all(1)
    mirrored = (changed == X.flip(3)).flatten(1).all(1)
    assert (same | mirrored).all()
    assert 200 < same.sum() < 300


def test_a_shifted_image_is_a_window_of_the_reflected_one():
    X = images(50)
    changed, _ = Shift(3).apply(X, source())
    padded = nn.functional.pad(X, (3,) * 4, mode="reflect")
    windows = padded.unfold(2, 8, 1).unfold(3, 9, 1)
    fits = (windows == changed[:, :, None, None]).all(dim=(1, 4, 5))
    assert (fits.flatten(1).sum(1) == 1).all()
    assert len(torch.nonzero(fits)[:, 1:].unique(dim=0)) > 20


def test_a_square_is_cut_out_of_all_channels():
    X = images()
    changed, _ = Cutout(3).apply(X, source())
    mean = source().mean.expand(X.shape)
    differs = changed != X
    assert torch.equal(changed[differs], mean[differs])
    assert torch.equal(differs[:, 0], differs[:, 1])
    assert differs[:, 0].sum(dim=(1, 2)).max() == 9
    assert differs[:, 0].any(0).all()


def test_noise_has_the_deviation_it_says():
    X = images()
    noise = Noise(0.3).apply(X, source())[0] - X
    assert noise.std().item() == pytest.approx(0.6, rel=0.02)
    assert noise.mean().item() == pytest.approx(0, abs=0.02)


def test_mixup_mixes_samples_with_their_partners():
    X = images()
    mixed, (partner, share) = Mixup(1.0).apply(X, source())
    assert 0 < share < 1
    assert_allclose(mixed, share * X + (1 - share) * X[partner], rtol=1e-6)
    assert_array_equal(partner.sort().values, np.arange(len(X)))


def test_the_loss_of_mixed_samples_is_that_of_mixed_targets():
    generator = torch.Generator().manual_seed(0)
    output, target = torch.randn(2, 6, 4, generator=generator, dtype=torch.float64)
    mixes = [Mix(torch.randperm(6, generator=generator), share) for share in (0.3, 0.8)]
    inputs = {"weight": None, "mixes": mixes}
    found = mix_losses(lambda y, weight: (output * y).sum(), target, inputs)
    for partner, share in mixes:
        target = share * target + (1 - share) * target[partner]
    assert found.item() == pytest.approx((output * target).sum().item())


@pytest.mark.parametrize("augment", [*AUGMENTATIONS, ("mirror", Shift(1), "mixup")])
def test_networks_for_images_learn_from_changed_images(augment):
    X, y = digits()
    net = classifier(augment=augment, max_epochs=25).fit(X, y)
    assert net.score(X, y) > 0.8
    again = classifier(augment=augment, max_epochs=25).fit(X, y)
    assert_array_equal(net.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("step", OF_ROWS)
@pytest.mark.parametrize("weighted", [False, True])
def test_steps_by_hand_are_those_of_autograd(step, weighted, blobs):
    X, y = blobs
    weight = np.linspace(0.5, 2, len(y)) if weighted else None

    class Watcher(Callback):
        def on_grad_computed(self, net, **kwargs):
            pass

    found = [
        SparseNetClassifier((8,), augment=step, callbacks=callbacks, random_state=0)
        .set_params(max_epochs=3, learning_rate=0.01)
        .fit(X, y, sample_weight=weight)
        .predict_proba(X)
        for callbacks in (None, [Watcher()])
    ]
    assert_allclose(*found, atol=1e-5)


@pytest.mark.parametrize("augment", ["noise", "mixup"])
def test_a_tuned_coder_takes_changed_samples(augment, blobs):
    X, y = blobs
    parameters = {
        "coder": SparseDictionaryCoder(8, alpha=0.1, max_epochs=2),
        "random_state": 0,
        "max_epochs": 20,
        "learning_rate": 0.03,
    }
    plain = SparseNetClassifier((), **parameters).fit(X, y)
    changed = SparseNetClassifier((), augment=augment, **parameters).fit(X, y)
    assert changed.score(X, y) > 0.8
    assert not np.array_equal(plain.coder_.components_, changed.coder_.components_)


def test_patches_of_changed_images_are_coded():
    X, y = digits()
    coder = ImagePatchCoder(
        6, image_shape=SHAPE, patch_size=3, max_epochs=1, random_state=0
    )
    net = classifier(module=None, hidden_layer_sizes=(), coder=coder)
    net.set_params(image_shape=SHAPE, augment=("shift", "noise"), max_epochs=15)
    assert net.fit(X, y).score(X, y) > 0.7


def test_sparse_samples_are_changed_like_dense_ones(blobs):
    X, y = blobs
    X = np.hstack([X * (X > 0.5), np.zeros((len(X), 60), np.float32)])
    net = SparseNetClassifier((6,), augment="noise", max_epochs=5, random_state=0)
    dense = net.fit(X, y).predict_proba(X)
    assert_allclose(net.fit(sparse.csr_array(X), y).predict_proba(X), dense, atol=1e-5)


@pytest.mark.parametrize("augment", ["noise", "mixup"])
def test_numbers_are_learnt_from_changed_samples(augment, line):
    X, y = line
    net = SparseNetRegressor((16,), augment=augment, random_state=0)
    net.set_params(learning_rate=0.02, max_epochs=60)
    assert net.fit(X, y).score(X, y) > 0.8


def test_held_out_samples_stay_as_they_are():
    X, y = digits()
    losses = []
    for augment in (None, Noise(30.0)):
        net = classifier(augment=augment, learning_rate=1e-9)
        losses.append(net.fit(X, y, X_val=X, y_val=y).history_)
    assert_allclose(losses[0]["valid_loss"], losses[1]["valid_loss"], rtol=1e-4)
    assert (losses[1]["train_loss"] > losses[0]["train_loss"] + 1).all()


def test_streams_get_new_changes_each_time():
    X, y = digits()
    notes = []

    @dataclass
    class Note(AbstractAugmentation):
        def apply(self, X, source):
            notes.append(source.uniform(1).item())
            return X, None

    net = classifier(augment=Note(), batch_size=-1)
    for _ in range(3):
        net.partial_fit(X, y, classes=np.arange(10))
    assert len(set(notes)) == 3


def test_parameters_of_an_object_are_searched():
    net = SparseNetClassifier(augment=Noise(0.5))
    net = clone(net).set_params(augment__sigma=0.1)
    assert net.augment == Noise(0.1)


@pytest.mark.parametrize(
    ("augment", "match"),
    [
        ("mirror", "needs images"),
        (("noise", Shift(1)), "needs images"),
        ("rotate", "augment must be one of"),
        ((3,), "augment must hold names"),
        (Noise(-1), "sigma must be"),
        (Mixup(0), "alpha must be"),
    ],
)
def test_what_rows_cannot_have_is_refused(augment, match, blobs):
    net = SparseNetClassifier(augment=augment)
    with pytest.raises(ValueError, match=match):
        net.fit(*blobs)
    with pytest.raises(ValueError, match=match):
        net.partial_fit(*blobs, classes=[0, 1, 2])


@pytest.mark.parametrize(
    ("augment", "match"), [(Shift(8), "from 0 to 7"), (Cutout(0), "one pixel or more")]
)
def test_what_images_are_too_small_for_is_refused(augment, match):
    with pytest.raises(ValueError, match=match):
        classifier(augment=augment).fit(*digits())


def test_codes_that_stay_cannot_be_changed(blobs):
    net = SparseNetClassifier(
        coder=SparseDictionaryCoder(4), tune_coder=False, augment="noise"
    )
    with pytest.raises(ValueError, match="ahead of the coder"):
        net.fit(*blobs)
