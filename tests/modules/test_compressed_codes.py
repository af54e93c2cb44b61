"""Layers of codes with compressed atoms as torch sees them."""

import copy
import operator
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from sksparse_nn.modules import (
    AttentionLayer,
    PrunedCoding,
    QuantizedCoding,
    SoftThresholdLayer,
    SparseCodingLayer,
    TriangleLayer,
)
from sksparse_nn.modules._coding import CodingLayer, dense_atoms, has_atoms
from sksparse_nn.modules._facts import (
    count_multiply_adds,
    make_plain,
    measure_buffers,
    prune,
    quantize,
    traits,
)
from sksparse_nn.modules._size import Size

N_ATOMS, N_FEATURES = 14, 40

CODING = {
    "lasso": lambda atoms: SparseCodingLayer(atoms, alpha=0.7, learn_alpha=True),
    "omp": lambda atoms: SparseCodingLayer(atoms, "omp", n_nonzero_coefs=4),
    "soft": lambda atoms: SoftThresholdLayer(atoms, 0.7, learn_alpha=True),
    "triangle": TriangleLayer,
    "attention": lambda atoms: AttentionLayer(atoms, 5.0, learn_temperature=True),
}

COMPRESSED = {
    "8 bits": lambda layer: quantize(layer, 8, None),
    "4 bits": lambda layer: quantize(layer, 4, None),
    "pruned": prune,
    "pruned, 8 bits": lambda layer: quantize(prune(layer), 8, None),
}


def plain_layer(name, dtype="float32"):
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(N_ATOMS, N_FEATURES)) * rng.random((N_ATOMS, 1))
    atoms[rng.random(atoms.shape) < 0.5] = 0
    return CODING[name](atoms.astype(dtype)).to(getattr(torch, dtype))


def samples(dtype="float32"):
    rows = np.random.default_rng(1).normal(size=(6, N_FEATURES))
    return torch.from_numpy(rows.astype(dtype))


@pytest.fixture(params=CODING, name="name")
def name_of_layer(request):
    return request.param


@pytest.fixture(params=COMPRESSED, name="layer")
def compressed_layer(request, name):
    return COMPRESSED[request.param](plain_layer(name))


@torch.no_grad()
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", COMPRESSED.values(), ids=COMPRESSED)
def test_codes_are_those_of_the_atoms_as_they_are_stored(name, make, dtype):
    plain = plain_layer(name, dtype)
    layer = make(plain)
    plain.atoms.copy_(torch.from_numpy(dense_atoms(layer)))
    codes = layer(samples(dtype))
    assert codes.dtype == getattr(torch, dtype)
    assert_allclose(codes, plain(samples(dtype)), atol=1e-5)


@torch.no_grad()
def test_the_plain_twin_answers_as_the_layer_does(layer):
    twin = make_plain(layer)
    assert isinstance(twin, CodingLayer)
    assert_array_equal(dense_atoms(twin), dense_atoms(layer))
    assert torch.equal(twin(samples()), layer(samples()))


def test_plain_twins_are_trained_apart_from_the_layer(layer):
    twin, before = make_plain(layer), layer(samples()).detach()
    twin(samples()).square().sum().backward()
    assert all(number.grad is not None for number in twin.parameters())
    with torch.no_grad():
        for number in twin.parameters():
            number *= 2
    assert torch.equal(layer(samples()), before)


def test_nothing_is_left_to_train(layer):
    assert not any(number.requires_grad for number in layer.parameters())
    assert not layer(samples()).requires_grad


def test_twins_of_atoms_that_are_not_trained_are_not_trained(name):
    plain = plain_layer(name).requires_grad_(False)
    assert not any(p.requires_grad for p in make_plain(prune(plain)).parameters())


def test_the_given_layer_is_left_as_it_was(name):
    plain = plain_layer(name)
    before = copy.deepcopy(plain.state_dict())
    for make in COMPRESSED.values():
        make(plain)
    assert all(p.requires_grad for p in plain.parameters())
    assert all(torch.equal(plain.state_dict()[key], before[key]) for key in before)


def test_values_are_in_the_state(layer):
    twin, expected = copy.deepcopy(layer), layer(samples())
    with torch.no_grad():
        twin.values.copy_(twin.values.flip(0))
        for number in twin.parameters():
            number += 1
        assert not torch.equal(twin(samples()), expected)
    twin.load_state_dict(layer.state_dict())
    assert torch.equal(twin(samples()), expected)


def test_copies_and_what_was_stored_answer_as_the_layer(layer):
    for fresh in (True, False):
        twin = copy.deepcopy(layer) if fresh else pickle.loads(pickle.dumps(layer))
        assert torch.equal(twin(samples()), layer(samples()))
        assert list(twin.state_dict()) == list(layer.state_dict())


def test_numbers_of_a_copy_are_those_that_it_codes_with(layer):
    twin = pickle.loads(pickle.dumps(layer))
    children = dict(twin.named_children())
    assert all(twin._bare.get_submodule(name) is children[name] for name in children)


def test_numbers_are_those_of_the_atoms(layer):
    atoms = dense_atoms(layer)
    n_nonzero = np.count_nonzero(atoms)
    assert measure_buffers(layer) == Size(atoms.size, n_nonzero, layer.n_bytes)
    assert has_atoms(layer)
    assert traits(layer).needs_cpu
    assert traits(layer).holds_integers == isinstance(layer, QuantizedCoding)
    assert traits(layer).keeps_zeros == isinstance(layer, PrunedCoding)


@torch.no_grad()
def test_zeros_of_atoms_are_not_multiplied(layer):
    plain = make_plain(layer)
    plain(samples())
    layer(samples())
    work = count_multiply_adds(layer, (1, N_ATOMS))
    n_zeros = dense_atoms(layer).size - np.count_nonzero(dense_atoms(layer))
    assert work == count_multiply_adds(plain, (1, N_ATOMS)) - n_zeros


def test_attributes_are_those_of_the_layer_it_stands_for(layer):
    plain = make_plain(layer)
    assert torch.equal(getattr(layer, plain.atoms_name), plain.atoms)
    for name in ("components", "alpha", "temperature", "mapping"):
        assert hasattr(layer, name) == hasattr(plain, name)
        wanted, found = getattr(plain, name, None), getattr(layer, name, None)
        equal = torch.equal if isinstance(wanted, torch.Tensor) else operator.eq
        assert equal(found, wanted)
    with pytest.raises(AttributeError, match="no attribute 'in_features'"):
        _ = layer.in_features


def test_the_kind_of_the_layer_is_in_its_text(layer):
    kind = type(make_plain(layer)).__name__
    assert f"{N_FEATURES}, {N_ATOMS}, {kind}" in repr(layer)


def test_hooks_of_the_layer_are_called(name):
    plain, seen = plain_layer(name), []
    plain.register_forward_hook(lambda layer, inputs, codes: seen.append(codes))
    codes = prune(plain)(samples())
    assert torch.equal(seen[-1], codes)


@pytest.mark.parametrize("n_bits", [8, 4])
def test_integers_do_not_depend_on_norms_that_do_not_count(name, n_bits):
    plain = plain_layer(name)
    if not plain.normalises_atoms:
        return
    integers = quantize(plain, n_bits, None).values.clone()
    with torch.no_grad():
        plain.atoms.mul_(2.0**-20)
    assert torch.equal(quantize(plain, n_bits, None).values, integers)


@pytest.mark.parametrize("make", COMPRESSED.values(), ids=COMPRESSED)
def test_layers_of_torch_alone_are_exported(make):
    layer = make(plain_layer("soft"))
    n_rows = torch.export.Dim("n_rows")
    graph = torch.export.export(
        layer, (samples(),), dynamic_shapes=({0: n_rows},)
    ).module()
    assert_allclose(graph(samples()[:4]), layer(samples()[:4]), atol=1e-5)


def test_layers_without_atoms_are_refused_by_name():
    with pytest.raises(TypeError, match="Got Linear"):
        dense_atoms(nn.Linear(2, 3))
