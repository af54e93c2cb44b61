"""Rows go through a module in blocks, and hooks see what they would see of all."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from torch import nn

from sksparse_nn.modules import Perceptron
from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._hooks import evaluation_mode, watch_layers
from sksparse_nn.modules._linear_layers import (
    read_layer_inputs,
    replace_layers,
    select_layers,
)
from sksparse_nn.modules._run import module_float_type, run


@pytest.fixture(name="module")
def small_network():
    torch.manual_seed(0)
    return Perceptron(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)).eval()


def rows(n_rows=50, dtype=np.float32):
    return np.random.default_rng(0).standard_normal((n_rows, 8)).astype(dtype)


def outputs(module, X, n_rows=1000, **options):
    return run(module, X, n_rows, use=list, **options)


LAYOUTS = {
    "C": lambda X: X,
    "F": np.asfortranarray,
    "float64": lambda X: X.astype(np.float64),
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "CSR": sparse.csr_array,
}


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layout_of_rows_changes_nothing(module, layout, private):
    X = rows()
    (expected,) = outputs(module, X)
    (found,) = outputs(module, LAYOUTS[layout](X), private=private)
    assert_array_equal(found, expected)


@pytest.mark.parametrize("n_rows", [1, 7, 50, 51])
def test_blocks_come_in_order(module, n_rows):
    found = outputs(module, rows(), n_rows)
    assert [len(part) for part in found[:-1]] == [n_rows] * (len(found) - 1)
    assert_allclose(torch.cat(found), outputs(module, rows())[0], atol=1e-6)


def test_thin_rows_stay_sparse(module):
    X = sparse.random_array((50, 8), density=0.05, format="csr", rng=0, dtype="f4")
    (expected,) = outputs(module, X.toarray())
    (found,) = outputs(module, X)
    assert_allclose(found, expected, atol=1e-6)


def test_rows_of_the_caller_are_safe_from_modules_that_work_in_place():
    X = rows()
    outputs(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(8, 2)), X)
    assert_array_equal(X, rows())


def test_integers_stay_integers():
    X = np.arange(6).reshape(3, 2)
    (found,) = outputs(nn.Embedding(6, 4), X)
    assert found.shape == (3, 2, 4)


def test_nothing_is_recorded(module):
    (found,) = outputs(module, rows())
    assert not found.requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_float_type_is_that_of_the_weights(module, dtype):
    name = str(dtype).removeprefix("torch.")
    assert module_float_type(module.to(dtype)) == name
    assert module_float_type(nn.ReLU()) == "float32"


def test_hooks_see_each_block_and_are_gone_afterwards(module):
    seen = []
    with watch_layers([module[1]], lambda layer, output: seen.append(output)):
        run(module, rows(), 20)
    run(module, rows(), 20)
    assert [len(part) for part in seen] == [20, 20, 10]


def test_inputs_of_layers_are_those_of_a_forward_pass(module):
    first, second = read_layer_inputs(module, rows()[:30])
    with torch.no_grad():
        hidden = module[:2](torch.from_numpy(rows()[:30]))
    assert_array_equal(first, rows()[:30])
    assert_allclose(second, hidden, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_inputs_of_layers_do_not_depend_on_the_layout_of_rows(module, layout):
    for found, expected in zip(
        read_layer_inputs(module, LAYOUTS[layout](rows())),
        read_layer_inputs(module, rows()),
        strict=True,
    ):
        assert_array_equal(found, expected)


def test_modes_of_parts_are_as_they_were(module):
    module.train()
    module[1].eval()
    with evaluation_mode(module):
        assert not any(part.training for part in module.modules())
    modes = [part.training for part in module.modules()]
    assert modes == [True, True, False, True]


def test_replacing_layers_leaves_the_network_and_copies_the_rest(module):
    seen = []
    module.register_forward_hook(lambda *arguments: seen.append(1))
    twin = replace_layers(module, lambda layer: [nn.Identity(), layer])
    assert (
        len(select_layers(twin, is_linear))
        == len(select_layers(module, is_linear))
        == 2
    )
    assert (len(twin), len(module)) == (5, 3)
    assert_array_equal(outputs(twin, rows())[0], outputs(module, rows())[0])
    assert len(seen) == 2  # the hook of the network is one of the copy, too
