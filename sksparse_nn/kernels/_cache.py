"""Compiled kernels on disk, where there is a place for them; none depends on it."""

import hashlib
import pickle
import warnings

from numba.core.caching import FunctionCache, IndexDataCacheFile, NullCache
from numba.core.dispatcher import Dispatcher

_DIGEST_SIZE = hashlib.sha256().digest_size

# Whether anything has been said yet: it concerns all kernels alike.
_said = []


def cached(function):
    """Let a function be compiled once a machine, if its folder can be written to.

    Parameters
    ----------
    function : Dispatcher or callable
        What Numba's decorator returns; a plain function where Numba is switched off.

    Returns
    -------
    function : Dispatcher or callable
        The same.
    """
    if isinstance(function, Dispatcher):
        try:
            function._cache = _Cache(function.py_func)
        except (RuntimeError, OSError):  # what Numba raises where it finds no folder
            function._cache = _NoCache()
    return function


class _Cache(FunctionCache):
    """A cache whose files may be damaged, out of reach, or on a disk that is full."""

    def __init__(self, py_func):
        super().__init__(py_func)
        self._cache_file = _CheckedFiles(
            self._cache_path,
            f"{self._impl.filename_base}-checked",  # not Numba's own format
            self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # unpickling raises whatever it likes
            return self._begin_anew(error)

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except Exception as error:
            self._begin_anew(error)

    def _begin_anew(self, error):
        _say(
            f"The cache of compiled code in {self.cache_path} failed with {error!r}. "
            "Kernels are compiled anew, which takes a while; if this comes again, "
            "remove that folder, or set NUMBA_CACHE_DIR to one with space."
        )
        try:
            self.flush()
        except OSError:
            self.disable()


class _NoCache(NullCache):
    """Says, once a kernel is needed, why that takes long."""

    def load_overload(self, sig, target_context):
        _say(
            "No folder for compiled code can be written to, so that kernels are "
            "compiled in each process, which takes a while. Set NUMBA_CACHE_DIR to a "
            "folder that can."
        )


class _CheckedFiles(IndexDataCacheFile):
    """Files with a digest: machine code that is damaged would end the interpreter."""

    def _load_data(self, name):
        with open(self._data_path(name), "rb") as file:
            digest, data = file.read(_DIGEST_SIZE), file.read()
        if digest != hashlib.sha256(data).digest():
            raise ValueError(f"{name} is damaged")
        return pickle.loads(data)

    def _save_data(self, name, data):
        data = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(data).digest() + data)


def _say(message):
    if not _said:
        _said.append(message)
        warnings.warn(message, UserWarning, stacklevel=2)
