"""Pickles of CIFAR-10 of all ages."""

import pickle
import struct

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn.datasets import load_cifar10
from tests.datasets.cifar10_files import (
    BATCHES,
    assert_is_the_data,
    write_py,
)


def python_2_pickle(content):
    """Write what Python 2's cPickle did, whose str was the type of text and bytes."""
    items = b"".join(python_2(key) + python_2(content[key]) for key in content)
    return b"\x80\x02}(" + items + b"u."


def python_2(value):
    if isinstance(value, bytes):
        return b"T" + struct.pack("<I", len(value)) + value
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(python_2, value)) + b"e"
    return b"".join(
        [
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n",
            b"K\x00\x85U\x01b\x87R(K\x01",
            *map(python_2, value.shape),
            b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R",
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            python_2(value.tobytes()),
            b"tb",
        ]
    )


def test_pickles_of_python_2_load(tmp_path):
    write_py(tmp_path, python_2_pickle)
    assert_is_the_data(load_cifar10(tmp_path))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_binary_protocol_load(protocol, tmp_path):
    write_py(tmp_path, lambda content: pickle.dumps(content, protocol=protocol))
    assert_is_the_data(load_cifar10(tmp_path))


@pytest.mark.parametrize("module", [b"numpy.core.", b"numpy._core."])
def test_both_names_of_numpys_module_load(module, tmp_path):
    write_py(tmp_path, lambda x: pickle.dumps(x, 2).replace(b"numpy._core.", module))
    assert_is_the_data(load_cifar10(tmp_path))


def test_keys_may_be_text(tmp_path):
    write_py(
        tmp_path,
        lambda x: pickle.dumps({key.decode(): value for key, value in x.items()}),
    )
    assert_is_the_data(load_cifar10(tmp_path))


@pytest.mark.parametrize("labels", [list, np.int16, lambda y: y.astype(">i4")])
def test_labels_may_be_any_integers_of_numpy(labels, tmp_path):
    pixels, y = BATCHES["test_batch"]
    content = {"data": pixels, "labels": labels(y)}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content))
    assert_array_equal(load_cifar10(tmp_path, subset="test").target, y)


def test_columns_first_arrays_load(tmp_path):
    pixels, y = BATCHES["test_batch"]
    content = {"data": np.asfortranarray(pixels), "labels": y.tolist()}
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content, protocol=2))
    dataset = load_cifar10(tmp_path, subset="test")
    assert_array_equal(dataset.data, pixels)
    assert dataset.data.flags.c_contiguous
