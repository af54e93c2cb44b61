"""Layers of every kind in plain form, and back."""

import pickle

import numpy as np
import pytest
import skops.io
import torch
from torch import nn

from sksparse_nn.compression import NetPruner
from sksparse_nn.modules import _plain_kinds  # noqa: F401
from sksparse_nn.modules._plain import KINDS, Reader, Writer
from tests.compression.codes import CODING, samples
from tests.compression.codes import COMPRESSORS as OF_CODES
from tests.compression.codes import network as coded_network
from tests.modules.convolutions import PLAIN, STORED, plain
from tests.modules.layers import LINEAR, OTHERS
from tests.persistence.saving import assert_same_bits, through_skops

every_coding = pytest.mark.parametrize("coding", CODING)


def through_file(module):
    data = skops.io.dumps(Writer().write(module))
    trusted = skops.io.get_untrusted_types(data=data)
    assert not [name for name in trusted if "solvers" not in name]
    return Reader().read(skops.io.loads(data, trusted=trusted))


def assert_same_layer(layer, X):
    layer.eval()
    twin = through_file(layer)
    assert type(twin) is type(layer)
    assert repr(twin) == repr(layer)
    with torch.no_grad():
        assert torch.equal(twin(X), layer(X))
    for one, other in zip(layer.parameters(), twin.parameters(), strict=True):
        assert one.requires_grad == other.requires_grad
        assert one.stride() == other.stride()
    assert len(pickle.dumps(twin)) == pytest.approx(len(pickle.dumps(layer)), rel=0.01)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_layers(name):
    assert_same_layer(LINEAR[name](), torch.randn(4, 11))


@pytest.mark.parametrize("how", ["plain", *STORED])
@pytest.mark.parametrize("name", PLAIN)
def test_convolutions(name, how):
    layer, X = plain(name)
    assert_same_layer(STORED[how](layer) if how in STORED else layer, X)


@pytest.mark.parametrize("name", OTHERS)
def test_other_layers_of_torch(name):
    make, shape = OTHERS[name]
    assert_same_layer(make(), torch.randn(3, *shape))


@every_coding
def test_layers_of_codes(coding):
    X = torch.from_numpy(samples()[0][:40])
    assert_same_layer(CODING[coding](X[:24]), X)


@pytest.mark.parametrize("how", OF_CODES)
@every_coding
def test_networks_of_codes_that_were_made_smaller(coding, how):
    X, y = samples()
    net = OF_CODES[how](coded_network(coding, max_epochs=1)).fit(X, y)
    twin = through_skops(net, "tests.compression.codes.Coded")
    assert_same_bits(net, twin, X)


def test_a_large_layer_runs_sparse_again():
    torch.manual_seed(0)
    layer = nn.Linear(1024, 512)
    with torch.no_grad():
        layer.weight *= torch.rand(layer.weight.shape) < 0.02
    from sksparse_nn.modules._facts import prune

    pruned = prune(layer)
    assert pruned.runs_sparse
    assert through_file(pruned).runs_sparse
    assert_same_layer(pruned, torch.randn(5, 1024))


def test_weights_that_are_shared_stay_shared():
    one, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = one.weight
    twin = through_file(nn.Sequential(one, nn.ReLU(), other, one))
    assert twin[2].weight is twin[0].weight
    assert twin[3] is twin[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_float_types_and_orders_in_memory_are_kept(dtype):
    layer = nn.Conv2d(3, 8, 3).to(dtype).to(memory_format=torch.channels_last)
    twin = through_file(layer)
    assert twin.weight.dtype == dtype
    assert twin.weight.stride() == layer.weight.stride()
    assert torch.equal(twin.weight, layer.weight)


# Bases, a module that is trained but never stored, and one that is only exported.
WITHOUT_NAME = {
    "CodingLayer",
    "CompressedCoding",
    "CompressedConvolution",
    "CompressedLinear",
    "CompressedMatrix",
    "NetworkUpToLayer",
    "PrunedMatrix",
    "QuantizedMatrix",
    "TopKModule",
    "WeightedLoss",
}


def subclasses(kind):
    for one in kind.__subclasses__():
        yield from (one, *subclasses(one))


def test_every_layer_of_ours_is_written_by_name():
    ours = [k for k in subclasses(nn.Module) if k.__module__.startswith("sksparse_nn.")]
    found = {kind.__name__ for kind in ours if KINDS.name_of(kind) is None}
    assert found <= WITHOUT_NAME


def test_hooks_are_refused():
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda *args: None)
    with pytest.raises(ValueError, match=r"functions.*_forward_hooks of Linear"):
        Writer().write(nn.Sequential(layer))


def test_a_dict_that_could_be_taken_for_something_else_is_refused():
    with pytest.raises(ValueError, match="rename"):
        Writer().write({"$": 1})


def test_compressed_layers_are_as_small_as_their_pickles():
    net = NetPruner(coded_network("omp", max_epochs=1), amount=0.9, fine_tune_epochs=1)
    module = net.fit(*samples()).estimator_.net_.module_
    plain_module = Writer().write(module)
    sizes = [
        part.nbytes for part in _arrays(plain_module) if isinstance(part, np.ndarray)
    ]
    assert sum(sizes) < len(pickle.dumps(module))


def _arrays(plain_form):
    if isinstance(plain_form, dict):
        plain_form = list(plain_form.values())
    if isinstance(plain_form, list | tuple):
        return [part for child in plain_form for part in _arrays(child)]
    return [plain_form]
