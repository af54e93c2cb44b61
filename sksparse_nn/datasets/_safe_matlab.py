"""MATLAB 5 files of plain data: arrays of numbers and cells of text.

SciPy's reader trusts the type codes in a file: one wrong byte makes it read memory
that is not its own, and the process ends. This one knows the few codes that a data
set needs and refuses the rest.
"""

import struct
import zlib

import numpy as np

from sksparse_nn.exceptions import DataFormatError

_HEADER_BYTES = 128
_BYTE_ORDERS = {b"IM": "<", b"MI": ">"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _CHAR = 1, 4
_COMPLEX = 0x0800

# Codes of stored types and of array classes.
_STORED = dict(zip((1, 2, 3, 4, 5, 6, 7, 9, 12, 13), "bBhHiIfdqQ", strict=True))
_CLASSES = dict(zip(range(6, 16), "dfbBhHiIqQ", strict=True))
_ENCODINGS = {
    order: {1: "latin1", 2: "latin1", 4: wide, 16: "utf-8", 17: wide}
    for order, wide in (("<", "utf-16-le"), (">", "utf-16-be"))
}


def load_plain_matlab(raw, names, max_bytes):
    """Load some variables of a MATLAB 5 file.

    Parameters
    ----------
    raw : bytes
        The file.

    names : collection of str
        The variables to load, as far as they exist.

    max_bytes : int
        Maximum size of a decompressed variable.

    Returns
    -------
    content : dict
        An ndarray for an array of numbers, a list of str for a cell of text.

    Raises
    ------
    DataFormatError
        If the file is damaged or the variables are anything else.
    """
    try:
        return dict(_read_variables(raw, names, max_bytes))
    except DataFormatError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataFormatError(
            "expected a whole MATLAB 5 file. Got one that cannot be read "
            f"({type(error).__name__}: {error}); copy or download the file again."
        ) from error


def _read_variables(raw, names, max_bytes):
    order = _read_byte_order(raw)
    for kind, content in _read_elements(memoryview(raw)[_HEADER_BYTES:], order):
        if kind == _COMPRESSED:
            unfolded = _decompress(content, max_bytes)
            kind, content = next(_read_elements(memoryview(unfolded), order))
        if kind == _MATRIX:
            name, *array = _split_array(content, order)
            if name in names:
                yield name, _read_array(*array, order)


def _read_byte_order(raw):
    mark = raw[_HEADER_BYTES - 2 : _HEADER_BYTES]
    version = raw[_HEADER_BYTES - 4 : _HEADER_BYTES - 2]
    if mark not in _BYTE_ORDERS or 1 not in version:
        raise DataFormatError(
            "expected a whole MATLAB 5 file. Got one with the version mark "
            f"{version + mark!r}; save it with MATLAB's option -v7 or -v6."
        )
    return _BYTE_ORDERS[mark]


def _read_elements(buffer, order):
    """Yield the type code and the content of each element of a sequence of them."""
    place = 0
    while place < len(buffer):
        kind, size = struct.unpack_from(f"{order}II", buffer, place)
        start = place + 8
        place = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if kind >> 16:  # up to four bytes stand in the second half of the tag
            kind, size, start, place = kind & 0xFFFF, kind >> 16, start - 4, start
        content = buffer[start : start + size]
        if len(content) < size:
            raise EOFError(f"{size} bytes are announced and {len(content)} are there")
        yield kind, content


def _decompress(content, max_bytes):
    stream = zlib.decompressobj()
    unfolded = stream.decompress(content, max_bytes)
    if not stream.eof:
        raise DataFormatError(
            f"expected a whole variable of at most {max_bytes:,} bytes. Got one that "
            "is larger or cut short; get the published file."
        )
    return unfolded


def _split_array(content, order):
    """Split an array into its name, class code with flags, shape, and elements."""
    parts = _read_elements(content, order)
    flags, shape, name = (bytes(next(parts)[1]) for _ in range(3))
    return (
        name.decode("latin1"),
        struct.unpack_from(f"{order}I", flags)[0],
        struct.unpack(f"{order}{len(shape) // 4}i", shape),
        parts,
    )


def _read_array(flags, shape, parts, order):
    kind = flags & 0xFF
    if kind == _CELL:
        return [_read_text(content, order) for _, content in parts]
    if kind not in _CLASSES or flags & _COMPLEX:
        raise DataFormatError(
            f"expected arrays of real numbers and cells of text. Got class {kind} "
            f"with flags {flags:#x}."
        )
    stored, content = next(parts)
    values = np.frombuffer(content, order + _STORED[stored])
    return values.astype(_CLASSES[kind], copy=False).reshape(shape, order="F")


def _read_text(content, order):
    _, flags, _, parts = _split_array(content, order)
    if flags & 0xFF != _CHAR:
        raise DataFormatError(f"expected text in a cell. Got class {flags & 0xFF}.")
    kind, characters = next(parts)
    return bytes(characters).decode(_ENCODINGS[order][kind])
