"""Networks for images, and modules of one's own, as models of ONNX."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sksparse_nn import (
    ImagePatchCoder,
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
)
from sksparse_nn.onnx import to_onnx
from tests.onnx.sessions import run

pytestmark = pytest.mark.filterwarnings("ignore")

rng = np.random.default_rng(0)
X = rng.integers(0, 256, (120, 2 * 8 * 6)).astype(np.uint8)
y = (X[:, 0] > X[:, 1]).astype(int)
SHAPE = (2, 8, 6)


def network(module="plain_conv_net", **parameters):
    return SparseNetClassifier(
        module=module, image_shape=SHAPE, max_epochs=1, random_state=0, **parameters
    )


def check(estimator, rows, **tolerance):
    """Check the model on all rows and on one, and return it."""
    model = to_onnx(estimator, X=rows[:20])
    for some in (rows, rows[:1]):
        labels, probabilities = run(model, some)
        wanted = estimator.predict_proba(some)
        assert_allclose(probabilities, wanted, **{"atol": 1e-5} | tolerance)
        assert_array_equal(labels, estimator.predict(some))
    return model


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("module", ["resnet8", "plain_conv_net"])
def test_networks_with_a_name_take_every_type(module, dtype):
    rows = X.astype(dtype)
    net = network(module, module_params={"width": 4}).fit(rows, y)
    model = check(net, rows)
    name = {np.uint8: 2, np.float32: 1, np.float64: 11}[dtype]
    assert model.graph.input[0].type.tensor_type.elem_type == name


def test_images_of_four_axes():
    images = X.reshape(-1, *SHAPE)
    net = SparseNetClassifier(module="plain_conv_net", max_epochs=1).fit(images, y)
    check(net, images)


LAYERS = {
    "strides": [nn.Conv2d(2, 4, (3, 2), stride=(2, 1))],
    "padding": [nn.Conv2d(2, 4, 3, padding=(1, 2))],
    "same padding": [nn.Conv2d(2, 4, (4, 3), padding="same")],
    "valid padding": [nn.Conv2d(2, 4, 3, padding="valid")],
    "dilation": [nn.Conv2d(2, 4, 3, dilation=2, bias=False)],
    "groups": [nn.Conv2d(2, 4, 3, groups=2)],
    "largest values": [nn.Conv2d(2, 4, 3), nn.MaxPool2d(3, 2, ceil_mode=True)],
    "padded largest values": [nn.Conv2d(2, 4, 3), nn.MaxPool2d(3, 1, padding=1)],
    "means": [nn.Conv2d(2, 4, 3), nn.AvgPool2d(2, padding=1)],
    "means of what is there": [nn.AvgPool2d(3, 1, 1, count_include_pad=False)],
    "means of windows": [nn.AdaptiveAvgPool2d((3, 4))],
    "means of an axis": [nn.AdaptiveAvgPool2d((None, 1))],
    "normalised channels": [nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ELU()],
    "normalised, without weights": [nn.BatchNorm2d(2, affine=False)],
    # From here on as torch writes them.
    "circular padding": [nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular")],
    "groups normalised": [nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4)],
    "largest values of windows": [nn.AdaptiveMaxPool2d(2)],
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_layers_give_the_same(layers):
    torch.manual_seed(0)
    body = nn.Sequential(*layers, nn.Flatten())
    width = body(torch.zeros(1, *SHAPE)).shape[1]
    module = nn.Sequential(*body, nn.Linear(width, 8), nn.BatchNorm1d(8), nn.Tanh())
    module.append(nn.Linear(8, 2))
    check(network(module).fit(X, y), X)


class Own(nn.Module):
    """Two ways that meet again, and a way that the values do not choose."""

    def __init__(self, n_features, n_outputs, width=8):
        super().__init__()
        self.first = nn.Linear(n_features, width)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(2 * width, n_outputs)

    def forward(self, rows):
        hidden = torch.relu(self.first(rows))
        both = [hidden, torch.sin(self.second(hidden))]
        if self.training:
            both = [x + 0.0 for x in both]
        return self.last(torch.cat(both, dim=1))


class Chosen(Own):
    """Its way depends on the values, which no graph holds."""

    def forward(self, rows):
        rows = rows if float(rows.sum()) > 0 else rows.abs()
        return super().forward(rows)


ROWS = (X / 255).astype(np.float32)


def own(module=Own, kind=SparseNetClassifier):
    return kind(module=module, max_epochs=1, random_state=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_module_of_ones_own(dtype):
    rows = ROWS.astype(dtype)
    pipeline = make_pipeline(StandardScaler(), own()).fit(rows, y)
    check(pipeline, rows)
    net = own(kind=SparseNetRegressor).fit(rows, rows[:, 0])
    [found] = run(to_onnx(net, X=rows), rows)
    assert_allclose(found[:, 0], net.predict(rows), atol=1e-5)


OWN_SMALLER = {
    "8 bits": NetQuantizer(own()),
    "4 bits": NetQuantizer(own(), scheme="weight_only", n_bits=4),
    "weights": NetPruner(own(), structure="weight", fine_tune_epochs=0),
    "ranks": NetFactorizer(own(), amount=0.3, fine_tune_epochs=0),
}


@pytest.mark.parametrize("smaller", OWN_SMALLER.values(), ids=OWN_SMALLER)
def test_a_module_of_ones_own_made_smaller(smaller):
    check(smaller.fit(ROWS, y), ROWS, atol=1e-3)


def test_a_way_that_values_choose_is_refused(capfd):
    with pytest.raises(TypeError, match=r"Chosen cannot be exported.*torch cannot"):
        to_onnx(own(Chosen).fit(ROWS, y), X=ROWS)
    assert capfd.readouterr() == ("", "")


def test_hooks_are_refused():
    net = network().fit(X, y)
    net.net_.module_[1].register_forward_hook(lambda *_: None)
    with pytest.raises(TypeError, match="with hooks"):
        to_onnx(net, X=X)


SMALLER = {
    "channels": NetPruner(network(), amount=0.5, structure="channel"),
    "weights": NetPruner(network(), amount=0.5, structure="weight"),
    "ranks": NetFactorizer(network(), amount=0.5),
    "tucker": NetFactorizer(network("resnet8"), method="tucker2", amount=0.5),
    "dynamic": NetQuantizer(network("resnet8")),
    "static": NetQuantizer(network("resnet8"), scheme="static"),
    "8 bits": NetQuantizer(network(), scheme="weight_only"),
    "4 bits": NetQuantizer(network(), scheme="weight_only", n_bits=4),
}


@pytest.mark.parametrize("smaller", SMALLER.values(), ids=SMALLER)
def test_networks_made_smaller(smaller):
    if hasattr(smaller, "fine_tune_epochs"):
        smaller.set_params(fine_tune_epochs=0)
    check(smaller.fit(X, y), X, atol=1e-3)


def test_integers_of_convolutions_are_stored_as_integers():
    net = network("resnet8").fit(X, y)
    whole = len(to_onnx(net, X=X).SerializeToString())
    for n_bits, share in ((8, 0.32), (4, 0.21)):
        small = NetQuantizer(net, scheme="weight_only", n_bits=n_bits).fit(X, y)
        assert len(to_onnx(small, X=X).SerializeToString()) < share * whole


@pytest.mark.parametrize(
    ("algorithm", "parameters"),
    [("soft_threshold", {}), ("triangle", {}), ("threshold", {"module": "patch_net"})],
)
def test_coders_of_patches_that_are_tuned_with_the_network(algorithm, parameters):
    coder = ImagePatchCoder(
        8, patch_size=3, algorithm=algorithm, max_epochs=1, image_shape=SHAPE,
        channel_axis=0,
    )  # fmt: skip
    net = SparseNetClassifier(
        coder=coder, tune_coder=True, image_shape=SHAPE, max_epochs=1, **parameters
    )
    check(net.fit(X, y), X)
    width = 9 * SHAPE[0]
    shapes = [tuple(part.dims) for part in to_onnx(net, X=X).graph.initializer]
    assert ((width, width) in shapes) == (algorithm == "triangle")


CODERS = {
    "lasso": SparseDictionaryCoder(6, max_epochs=1),
    "thresholds": SparseDictionaryCoder(6, algorithm="soft_threshold", max_epochs=1),
    "attention": SparseAttentionCoder(6),
    "patches": ImagePatchCoder(6, patch_size=3, image_shape=SHAPE, channel_axis=0),
}


@pytest.mark.parametrize("coder", CODERS.values(), ids=CODERS)
def test_codes_in_a_network_made_smaller(coder):
    net = SparseNetClassifier((4,), coder=coder, tune_coder=True, max_epochs=1)
    small = NetQuantizer(net, scheme="weight_only", n_bits=4).fit(ROWS, y)
    check(small, ROWS, atol=1e-4)


@pytest.mark.parametrize("positions", [False, True, "channels_last"])
@pytest.mark.parametrize("layer", [None, 4])
def test_activations_of_a_layer(layer, positions):
    net = NetPruner(network(), structure="channel", fine_tune_epochs=0)
    found = LayerActivations(net, layer=layer, positions=positions).fit(X, y)
    [activations] = run(to_onnx(found, X=X[:20]), X)
    assert_allclose(activations, found.transform(X), atol=1e-5)


def test_activations_of_a_network_with_a_lasso_are_refused():
    coder = SparseDictionaryCoder(6, max_epochs=1)
    net = SparseNetClassifier((4,), coder=coder, tune_coder=True, max_epochs=1)
    with pytest.raises(TypeError, match="NetworkUpToLayer cannot be exported"):
        to_onnx(LayerActivations(net).fit(ROWS, y), X=ROWS)
