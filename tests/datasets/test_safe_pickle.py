"""The unpickler of plain data: what it refuses, and that nothing of it runs."""

import copyreg
import os
import pickle
import struct
from contextlib import suppress

import numpy as np
import pytest
from numpy._core.multiarray import _reconstruct
from numpy.testing import assert_array_equal

from sksparse_nn.datasets import _safe_pickle
from sksparse_nn.datasets._safe_pickle import load_plain_pickle
from sksparse_nn.exceptions import DataFormatError

CONTENT = {
    b"data": np.arange(6, dtype=np.uint8).reshape(2, 3),
    b"labels": [1, 2],
    b"batch_label": b"a batch",
    b"n": np.int64(-7),
}


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments, state)

    def __reduce__(self):
        return self.reduced


def refusal(raw):
    with pytest.raises(DataFormatError) as caught:
        load_plain_pickle(raw)
    return str(caught.value)


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_load(protocol):
    content = load_plain_pickle(pickle.dumps(CONTENT, protocol=protocol))
    assert_array_equal(content.pop("data"), CONTENT[b"data"], strict=True)
    assert content == {"labels": [1, 2], "batch_label": b"a batch", "n": -7}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("code", ["u1", "<i2", ">i4", "<f8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_keep_type_order_and_values(protocol, code, order):
    array = np.arange(12).reshape(3, 4).astype(code, order=order)
    content = load_plain_pickle(pickle.dumps({"a": array}, protocol=protocol))
    assert_array_equal(content["a"], array, strict=True)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_call_is_refused_by_name_and_not_run(protocol, tmp_path):
    call = Call(os.mkdir, str(tmp_path / "it ran"))
    message = refusal(pickle.dumps({b"data": call}, protocol=protocol))
    assert f"{os.mkdir.__module__}.mkdir" in message
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "__builtin__.eval",
        "copyreg._reconstructor",
        "_codecs.decode",
        "numpy.load",
        "numpy.core.multiarray.fromfile",
        "numpy.ndarray.tofile",
    ],
)
def test_any_other_name_is_refused(name):
    module, _, function = name.rpartition(".")
    named = f"{module}\n{function}\n".encode()
    for raw in (
        b"\x80\x02c" + named + b".",
        b"\x80\x02(i" + named + b".",
        b"\x80\x04" + text(module) + text(function) + b"\x93.",
    ):
        assert f"names {name}" in refusal(raw)


@pytest.mark.parametrize(
    "array",
    [np.array([1, "a"], dtype=object), np.zeros(2, "u1,u1"), np.array(["a"])],
    ids=["objects", "records", "text"],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_of_anything_but_numbers_are_refused(array, protocol):
    raw = pickle.dumps({"data": array}, protocol=protocol)
    assert "arrays of integers or floats" in refusal(raw)


def test_a_type_of_the_process_cannot_be_altered():
    state = (3, ">", None, None, None, -1, -1, 0)
    raw = pickle.dumps({"a": Call(np.dtype, "i8", False, False, state=state)})
    load_plain_pickle(raw)
    assert np.dtype("i8").isnative
    assert np.int64(1).tobytes() == struct.pack("=q", 1)


def test_a_function_of_the_table_cannot_be_altered():
    state = b"N}" + text("mark") + b"Ns\x86"
    load_plain_pickle(b"\x80\x02}" + text("a") + b"c_codecs\nencode\n" + state + b"bs.")
    assert not hasattr(_safe_pickle._encode, "mark")


def test_bytes_in_another_encoding_are_refused():
    raw = b"\x80\x02c_codecs\nencode\n" + text("abc") + text("rot13") + b"\x86R."
    assert "written as latin1. Got 'rot13'" in refusal(raw)


def test_an_array_is_not_made_from_its_shape_alone():
    made = b"\x80\x02cnumpy\nndarray\n" + b"J\xff\xff\xff\x7f\x85"
    assert "Got an unfilled one" in refusal(made + b"R.")
    assert "cannot be read" in refusal(made + b"\x81.")


@pytest.mark.parametrize("shape", [(2, 4), (-1, -6), (2**62, 4)])
def test_an_array_has_as_many_values_as_its_shape_says(shape):
    array = Call(_reconstruct, np.ndarray, (0,), b"b")
    array.reduced = (*array.reduced[:2], (1, shape, np.dtype("u1"), False, b"123456"))
    assert "expected" in refusal(pickle.dumps({"a": array}, protocol=2))


def test_a_memo_index_that_takes_all_memory_is_refused():
    raw = b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b"."
    assert "memo index 4294967295" in refusal(raw)


def test_tuples_too_deep_to_be_hashed_are_refused():
    raw = b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns."
    assert "tuples that are not arguments" in refusal(raw)


def test_lists_too_deep_for_recursion_do_no_harm():
    depth = 200_000
    raw = b"\x80\x02}" + text("a") + b"]" * depth + b"a" * (depth - 1) + b"s."
    assert list(load_plain_pickle(raw)) == ["a"]


def test_a_registered_extension_is_refused():
    copyreg.add_extension("os", "getcwd", 0x7FFF)
    copyreg._extension_cache[0x7FFF] = os.getcwd
    try:
        assert "extension 32767" in refusal(b"\x80\x02\x83\xff\x7f)R.")
    finally:
        copyreg.remove_extension("os", "getcwd", 0x7FFF)


@pytest.mark.parametrize("content", [[1, 2], None, "text"])
def test_anything_but_a_dictionary_is_refused(content):
    message = refusal(pickle.dumps(content))
    assert f"pickled dictionary. Got {type(content).__name__}" in message


def test_keys_of_another_type_are_refused():
    assert "of type int" in refusal(pickle.dumps({1: 2}))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_beginning_of_a_pickle_is_refused(protocol):
    raw = pickle.dumps(CONTENT, protocol=protocol)
    for n_left in range(len(raw)):
        assert "whole pickle" in refusal(raw[:n_left])


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_changed_byte_gives_data_or_a_format_error(protocol):
    raw = pickle.dumps(CONTENT, protocol=protocol)
    rng = np.random.default_rng(protocol)
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= rng.integers(1, 256)
        with suppress(DataFormatError):
            assert isinstance(load_plain_pickle(bytes(changed)), dict)
