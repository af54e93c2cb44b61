"""Pickles of plain data, read without running code that a file names.

A pickle is a program: it names callables and the unpickler calls them. Here a name is
looked up in one table of this module, whose functions build arrays, bytes and numbers,
and every other name is refused. NumPy's own constructors are not in the table: they
take object types, and states that change types which the whole process shares.
"""

import io
import math
import pickle
import pickletools
import re

import numpy as np

from sksparse_nn.exceptions import DataFormatError

_MAX_LOOSE_TUPLES = 32


def load_plain_pickle(raw):
    """Load a pickled dictionary of arrays, lists, strings, bytes and numbers.

    Parameters
    ----------
    raw : bytes
        The pickle, of protocol 2 or later, written by Python 2 or 3.

    Returns
    -------
    content : dict
        The dictionary, with keys of type str even if the file has bytes.

    Raises
    ------
    DataFormatError
        If the pickle is damaged or holds anything else.
    """
    try:
        _check_opcodes(raw)
        content = _PlainUnpickler(io.BytesIO(raw), encoding="bytes").load()
    except DataFormatError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataFormatError(
            "expected a whole pickle of plain data. Got one that cannot be read "
            f"({type(error).__name__}: {error}); copy or download the file again."
        ) from error
    return _convert_keys(content)


def _check_opcodes(raw):
    """Raise for content that bypasses `find_class` or exhausts memory or the stack.

    The unpickler takes registered extensions from a cache without asking, allots its
    memo up to the largest index that a file names, and hashes a tuple that is a key by
    recursion. A sound file has no extensions, numbers its memo from 0, and has few
    tuples besides arguments, which the next opcode uses up.
    """
    n_loose, previous = 0, ""
    for position, (opcode, argument, _) in enumerate(pickletools.genops(raw)):
        if opcode.name in _PUTS:
            if (argument or 0) > position:
                raise _make_error(f"memo index {argument} at opcode {position}")
            continue
        if opcode.name in _EXTENSIONS:
            raise _make_error(f"extension {argument}")
        n_loose += previous in _TUPLES and opcode.name not in _TUPLE_USERS
        previous = opcode.name
    if n_loose > _MAX_LOOSE_TUPLES:
        raise _make_error(f"{n_loose} tuples that are not arguments")


_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_EXTENSIONS = frozenset({"EXT1", "EXT2", "EXT4"})
_TUPLES = frozenset({"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"})
_TUPLE_USERS = frozenset({"REDUCE", "BUILD"})


def _make_error(found):
    return DataFormatError(
        f"expected a pickle of plain data. Got one with {found}, which such data never "
        f"need; {_ADVICE}"
    )


_ADVICE = "it may be harmful: get the file from where the data set is published."


def _convert_keys(content):
    if not isinstance(content, dict):
        raise DataFormatError(
            f"expected a pickled dictionary. Got {type(content).__name__}."
        )
    return {_decode_key(key): _finish(value) for key, value in content.items()}


def _decode_key(key):
    if isinstance(key, bytes | str):
        return _decode(key)
    raise DataFormatError(
        f"expected keys that are bytes or str. Got one of type {type(key).__name__}."
    )


def _decode(value):
    return value.decode("latin1") if isinstance(value, bytes) else value


def _finish(value):
    return value.array if isinstance(value, _Array) else value


class _PlainUnpickler(pickle.Unpickler):
    """Unpickler whose only names are those of `_BUILDERS`."""

    def find_class(self, module, name):
        if (module, name) not in _BUILDERS:
            raise DataFormatError(
                "expected a pickle of arrays, lists, dictionaries, strings, bytes and "
                f"numbers. Got one that names {module}.{name}, which was not loaded; "
                f"{_ADVICE}"
            )
        return _wrap(_BUILDERS[module, name])


def _wrap(build):
    """Wrap a function, because a pickle can set attributes on it."""

    def call(*arguments):
        return build(*arguments)

    return call


class _Array:
    """An array in a pickle: created first, then given its state."""

    __slots__ = ("array",)

    def __init__(self, *_):
        self.array = None

    def __setstate__(self, state):
        _, shape, dtype, is_fortran, values = state
        self.array = _frombuffer(values, dtype, shape, "F" if is_fortran else "C")


class _Dtype:
    """A type in a pickle: a code, then a state that holds the byte order."""

    __slots__ = ("byte_order", "code")

    def __init__(self, code, *_):
        self.code = _decode(code)
        self.byte_order = "|"
        if not re.fullmatch("[biuf][1248]", self.code):
            raise DataFormatError(
                f"expected arrays of integers or floats. Got the type {self.code!r}."
            )

    def __setstate__(self, state):
        self.byte_order = _decode(state[1])

    def resolve(self):
        return np.dtype(self.code).newbyteorder(self.byte_order)


def _frombuffer(values, dtype, shape, order="C"):
    flat = np.frombuffer(values, dtype.resolve())
    if flat.size != math.prod(shape):
        raise DataFormatError(
            f"expected {math.prod(shape)} array values for the shape {shape}. "
            f"Got {flat.size}."
        )
    return flat.reshape(shape, order=order)


def _scalar(dtype, value):
    return _frombuffer(value, dtype, ()).item()


def _encode(text, encoding):
    """Make bytes in the way Python 3 writes them for Python 2."""
    if encoding not in ("latin1", b"latin1"):
        raise DataFormatError(f"expected bytes written as latin1. Got {encoding!r}.")
    return text.encode("latin1")


def _array_type(*_):
    raise DataFormatError("expected an array with its values. Got an unfilled one.")


_NUMPY_BUILDERS = {
    ("multiarray", "_reconstruct"): _Array,
    ("multiarray", "scalar"): _scalar,
    ("numeric", "_frombuffer"): _frombuffer,
}
_BUILDERS = {
    ("numpy", "ndarray"): _array_type,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.{module}", name): build
        for core in ("core", "_core")
        for (module, name), build in _NUMPY_BUILDERS.items()
    },
}
