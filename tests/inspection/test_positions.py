"""Activations of images and sequences, one row per position."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from sksparse_nn import LayerActivations, SparseDictionaryCoder, SparseNetClassifier
from sksparse_nn.inspection import explained_variance, loss_recovered, steer


class Tokens(nn.Module):
    """Eight tokens of eight numbers, each looked at by itself."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 6)
        self.head = nn.Linear(6, 10)

    def forward(self, X):
        tokens = torch.relu(self.embed(X.reshape(-1, 8, 8)))
        return self.head(tokens.amax(dim=1))


def images():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 5, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(180, 10),
    )


# What to pass, the layer, positions and channels.
CASES = {
    "images": (images, "2", True, 36, 5),
    "tokens": (Tokens, "embed", "channels_last", 8, 6),
    "tokens as channels": (Tokens, "embed", True, 6, 8),
    "samples": (images, "4", True, 1, 10),
}


@pytest.fixture(params=CASES)
def case(request, digits):
    module, layer, positions, *shape = CASES[request.param]
    torch.manual_seed(0)
    net = SparseNetClassifier(module=module(), max_epochs=3, random_state=0)
    return net.fit(*digits), layer, positions, shape


def perfect():
    return FunctionTransformer().fit(np.zeros((1, 1)))


def test_rows_are_the_channels_at_each_position(case, digits):
    net, layer, positions, (n_positions, n_channels) = case
    X = digits[0][:50]
    net = FrozenEstimator(net)
    flat = LayerActivations(net, layer=layer).fit_transform(X)
    found = LayerActivations(net, layer=layer, positions=positions, batch_size=7)
    rows = found.fit_transform(X)
    assert rows.shape == (50 * n_positions, n_channels)
    assert found.n_positions_ == n_positions
    assert len(found.get_feature_names_out()) == n_channels
    last = positions == "channels_last"
    shape = (n_positions, n_channels) if last else (n_channels, n_positions)
    wanted = flat.reshape(50, *shape)
    wanted = wanted if last else wanted.swapaxes(1, 2)
    assert_allclose(rows, wanted.reshape(-1, n_channels), atol=1e-6)


def test_the_inverse_joins_the_rows_of_a_sample(case, digits):
    net, layer, positions, _ = case
    net = FrozenEstimator(net)
    flat = LayerActivations(net, layer=layer).fit(digits[0])
    by_position = LayerActivations(net, layer=layer, positions=positions).fit(digits[0])
    joined = by_position.inverse_transform(by_position.transform(digits[0]))
    assert_array_equal(joined, flat.transform(digits[0]))
    assert not hasattr(flat, "inverse_transform")


def test_parts_of_samples_are_refused(case, digits):
    net, layer, positions, (n_positions, n_channels) = case
    found = LayerActivations(FrozenEstimator(net), layer=layer, positions=positions)
    found.fit(digits[0])
    with pytest.raises(ValueError, match=rf"{n_positions} rows per sample.*and "):
        found.inverse_transform(np.ones((n_positions, n_channels + 1)))
    if n_positions > 1:
        with pytest.raises(ValueError, match=r"Got X of shape"):
            found.inverse_transform(np.ones((n_positions + 1, n_channels)))


def test_a_perfect_reconstruction_changes_nothing(case, digits):
    net, layer, positions, _ = case
    result = loss_recovered(net, perfect(), *digits, layer=layer, positions=positions)
    assert result.loss_reconstructed == result.loss
    assert result.recovered_mean == 1
    before, after = steer(
        net,
        perfect(),
        digits[0],
        atoms=0,
        layer=layer,
        positions=positions,
        scale=1,
        keep_error=False,
    )
    assert_array_equal(after, before)


def test_an_atom_is_taken_off_at_all_positions(digits):
    torch.manual_seed(0)
    net = SparseNetClassifier(module=images(), max_epochs=3, random_state=0)
    net.fit(*digits)
    _, after = steer(net, perfect(), digits[0], atoms=2, layer="2", positions=True)
    with torch.no_grad():
        net.net_.module_[1].weight[2] = 0
        net.net_.module_[1].bias[2] = 0
    assert_allclose(after, net.predict_proba(digits[0]), atol=1e-6)


def test_a_dictionary_of_channels_is_learnt(digits):
    torch.manual_seed(0)
    net = SparseNetClassifier(module=images(), max_epochs=3, random_state=0)
    by_position = LayerActivations(
        FrozenEstimator(net.fit(*digits)), layer="2", positions=True
    )
    coder = SparseDictionaryCoder(
        10, algorithm="omp", n_nonzero_coefs=3, random_state=0
    )
    codes = make_pipeline(by_position, coder).fit_transform(digits[0])
    assert codes.shape == (36 * len(digits[0]), 10)
    rows = by_position.fit(digits[0]).transform(digits[0])
    assert explained_variance(rows, coder.inverse_transform(codes)) > 0.9
    result = loss_recovered(net, coder, *digits, layer="2", positions=True)
    assert result.recovered_mean > 0.8


@pytest.mark.parametrize("positions", ["last", 2])
def test_positions_that_mean_nothing_are_refused(net, digits, positions):
    with pytest.raises(ValueError, match="positions"):
        LayerActivations(FrozenEstimator(net), positions=positions).fit(digits[0])
    for function, target in ((steer, {"atoms": 0}), (loss_recovered, {"y": digits[1]})):
        with pytest.raises(ValueError, match="positions must be True, False or"):
            function(net, perfect(), digits[0], positions=positions, **target)
