"""The reader of plain MATLAB 5 files, against SciPy's and against damage."""

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.io import loadmat, savemat

from sksparse_nn.datasets._safe_matlab import load_plain_matlab
from sksparse_nn.exceptions import DataFormatError

NAMES = ("a", "b")
MAX_BYTES = 10_000


def matlab(content, **options):
    stream = io.BytesIO()
    savemat(stream, content, **options)
    return stream.getvalue()


def cell(*items):
    column = np.empty((len(items), 1), dtype=object)
    column[:, 0] = items
    return column


def refusal(raw):
    with pytest.raises(DataFormatError) as caught:
        load_plain_matlab(raw, NAMES, MAX_BYTES)
    return str(caught.value)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("code", ["u1", "i1", "u2", "i4", "u8", "i8", "f4", "f8"])
def test_arrays_are_those_that_scipy_reads(code, compressed):
    arrays = {
        "a": np.arange(15).reshape(3, 5).astype(code),
        "b": np.ones((1, 2), code),
        "other": np.zeros(3),
    }
    raw = matlab(arrays, do_compression=compressed)
    ours, theirs = load_plain_matlab(raw, NAMES, MAX_BYTES), loadmat(io.BytesIO(raw))
    assert sorted(ours) == ["a", "b"]
    for name in NAMES:
        assert_array_equal(ours[name], theirs[name], strict=True)


def test_cells_of_text_are_lists():
    raw = matlab({"a": cell("cat", "une chèvre", "a longer text")})
    content = load_plain_matlab(raw, NAMES, MAX_BYTES)
    assert content == {"a": ["cat", "une chèvre", "a longer text"]}


def element(order, kind, content):
    tag = struct.pack(f"{order}II", kind, len(content))
    return tag + content + bytes(-len(content) % 8)


def file_of_another_writer(order):
    """Write a double array as MATLAB does: stored as bytes, in its machine's order."""
    parts = [
        element(order, 6, struct.pack(f"{order}II", 6, 0)),
        element(order, 5, struct.pack(f"{order}ii", 1, 3)),
        element(order, 1, b"a"),
        element(order, 4, struct.pack(f"{order}3H", 1, 2, 770)),
    ]
    mark = struct.pack(f"{order}HH", 0x0100, 0x4D49)
    return b"MATLAB 5.0".ljust(124) + mark + element(order, 14, b"".join(parts))


@pytest.mark.parametrize("order", "<>")
def test_files_of_both_byte_orders_load(order):
    raw = file_of_another_writer(order)
    array = load_plain_matlab(raw, NAMES, MAX_BYTES)["a"]
    assert_array_equal(array, [[1.0, 2.0, 770.0]], strict=True)
    assert_array_equal(array, loadmat(io.BytesIO(raw))["a"])


@pytest.mark.parametrize(
    "value",
    [np.ones(2) * 1j, {"field": 1}, "text"],
    ids=["complex", "struct", "text alone"],
)
def test_variables_of_another_kind_are_refused(value):
    assert "arrays of real numbers and cells of text" in refusal(matlab({"a": value}))


def test_cells_of_another_kind_are_refused():
    assert "expected text in a cell" in refusal(matlab({"a": cell("cat", np.ones(2))}))


def test_variables_that_are_not_asked_for_may_be_anything():
    raw = matlab({"a": np.ones((1, 2)), "other": {"field": 1j}})
    assert list(load_plain_matlab(raw, NAMES, MAX_BYTES)) == ["a"]


def test_a_compressed_variable_is_not_unfolded_beyond_the_limit():
    raw = matlab({"a": np.zeros(MAX_BYTES, np.uint8)}, do_compression=True)
    assert len(raw) < 500
    assert "at most 10,000 bytes" in refusal(raw)


def test_a_newer_file_is_refused_with_advice():
    raw = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400)
    assert "option -v7 or -v6" in refusal(raw)


@pytest.mark.parametrize("compressed", [False, True])
def test_every_file_cut_inside_a_variable_is_refused(compressed):
    raw = matlab({"a": np.arange(6)}, do_compression=compressed)
    for n_left in [*range(128), *range(129, len(raw))]:
        assert "expected a whole" in refusal(raw[:n_left])


@pytest.mark.parametrize("value", [np.arange(6), cell("cat", "dog")])
@pytest.mark.parametrize("changed", [0, 1, 8, 15, 16, 20, 255])
def test_a_changed_byte_gives_data_or_a_format_error(value, changed):
    raw = matlab({"a": value})
    for place in range(124, len(raw)):
        damaged = raw[:place] + bytes([changed]) + raw[place + 1 :]
        with suppress(DataFormatError):
            assert isinstance(load_plain_matlab(damaged, NAMES, MAX_BYTES), dict)
