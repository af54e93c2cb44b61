"""Networks for images, and codes of patches as convolutions."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.datasets import load_sample_image

from sksparse_nn import ImagePatchCoder
from sksparse_nn.modules import PatchConvolution, PatchNet, PlainConvNet, ResNet8

NETWORKS = [ResNet8, PlainConvNet]


@pytest.fixture(scope="module")
def photographs():
    """Return pieces of a photograph, channels first, some of them flat in part."""
    image = load_sample_image("china.jpg")[:320, :640]
    pieces = image.reshape(20, 16, 40, 16, 3).transpose(0, 2, 4, 1, 3)
    pieces = np.ascontiguousarray(pieces.reshape(-1, 3, 16, 16)[::4], np.float32)
    pieces[:5, :, :8] = 250
    return pieces


SETTINGS = {
    "defaults": {},
    "threshold": {"algorithm": "threshold", "alpha": 0.1},
    "stride": {"stride": 3, "split_sign": False},
    "no whitening": {"whiten": None},
    "oblong": {"patch_size": (3, 5)},
    "no contrast": {"contrast_reg": 0.0},
}


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("name", SETTINGS)
def test_maps_are_the_codes_of_the_coder(name, channels_first, photographs):
    X = photographs if channels_first else photographs.transpose(0, 2, 3, 1)
    parameters = {"patch_size": 5, "stride": 2} | SETTINGS[name]
    coder = ImagePatchCoder(
        12,
        image_shape=X.shape[1:],
        channel_axis=0 if channels_first else -1,
        max_epochs=1,
        random_state=0,
        **parameters,
    )
    rows = np.ascontiguousarray(X.reshape(len(X), -1))
    coder.set_params(pooled_shape=1).fit(rows)
    coder.set_params(pooled_shape=coder._layout.positions).fit(rows)
    expected = coder.transform(rows)
    layer = PatchConvolution.from_coder(coder)
    with torch.no_grad():
        maps = layer(torch.from_numpy(rows))
    assert maps.shape[1:] == layer.map_shape
    assert layer.out_features == expected.shape[1]
    found = maps.permute(0, 2, 3, 1).flatten(1).numpy()
    assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_a_coder_without_level_gives_no_maps(photographs):
    rows = photographs.reshape(len(photographs), -1)
    coder = ImagePatchCoder(
        8, image_shape=(3, 16, 16), algorithm="triangle", max_epochs=1, random_state=0
    ).fit(rows)
    with pytest.raises(ValueError, match="algorithm must be one of"):
        PatchConvolution.from_coder(coder)


def test_gradients_reach_atoms_and_images(photographs):
    rows = photographs[:10].reshape(10, -1).astype(np.float64)
    coder = ImagePatchCoder(
        4, image_shape=(3, 16, 16), max_epochs=1, random_state=0, stride=5
    ).fit(rows)
    layer = PatchConvolution.from_coder(coder)
    X = torch.from_numpy(rows[:2]).requires_grad_()
    direction = torch.randn(X.shape, dtype=X.dtype, generator=torch.manual_seed(0))

    def total(step):
        return layer(X + step * direction).square().sum()

    total(0).backward()
    slope = (total(1e-4) - total(-1e-4)).item() / 2e-4
    assert (X.grad * direction).sum().item() == pytest.approx(slope, rel=1e-4)
    assert layer.dictionary.grad.abs().sum() > 0


@pytest.mark.parametrize("image_shape", [(3, 32, 32), (1, 8, 8), (2, 3, 5), (1, 1, 1)])
@pytest.mark.parametrize("network", NETWORKS)
def test_networks_take_images_of_any_size(network, image_shape):
    module = network(0, 7, image_shape=image_shape).eval()
    assert module(torch.zeros(3, *image_shape)).shape == (3, 7)


def test_the_residual_network_is_as_large_as_the_published_one():
    module = ResNet8(3072, 10, image_shape=(3, 32, 32))
    n_parameters = sum(weights.numel() for weights in module.parameters())
    assert n_parameters == pytest.approx(78_000, rel=0.002)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_width_is_that_of_the_first_convolution(network):
    module = network(64, 10, image_shape=(1, 8, 8), width=5)
    assert next(module.parameters()).shape == (5, 1, 3, 3)


def test_atoms_may_stay_as_they_are(photographs):
    rows = photographs.reshape(len(photographs), -1)
    coder = ImagePatchCoder(
        4, image_shape=(3, 16, 16), max_epochs=1, random_state=0
    ).fit(rows)
    module = PatchNet.from_coder(coder, 3, tune=False)
    assert not any(p.requires_grad for p in module.coding.parameters())
    assert all(p.requires_grad for p in module.head.parameters())
