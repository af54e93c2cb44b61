"""Blocks of a file, asked of the disk before their rows are read in random order.

A mini-batch has rows of many blocks. Without notice, the system reads what lies around
the first row of each, too, which may be many times the block, and puts it in the place
of blocks that are still needed.
"""

import mmap

import numpy as np
from scipy import sparse

# Bytes that are read together; bytes that rows may lie in to be read ahead.
BLOCK = 2**20
_MOST = 2**27

# Bytes per request: as many as systems read ahead where nothing else is set.
_REQUEST = 2**17


class ReadAhead:
    """Reads blocks of a file as they are announced, and nothing around them.

    Used as a context, in which rows are read in random order. It does nothing for rows
    in memory, and on systems that take no advice.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_rows, n_features)
        Rows, maybe on disk.
    """

    def __init__(self, X):
        self._X, self._picked = getattr(X, "whole", X), getattr(X, "rows", None)
        takes_advice = hasattr(mmap.mmap, "madvise")
        arrays = _list_arrays(self._X) if takes_advice else []
        self._parts = [part for part in arrays if find_file(part) is not None]
        n_bytes = sum(part.nbytes for part in self._parts)
        self._n_together = max(1, BLOCK * self._X.shape[0] // max(n_bytes, 1))
        self._known = np.empty(0, dtype=np.int64)

    def __enter__(self):
        for part in self._parts:
            find_file(part).madvise(mmap.MADV_RANDOM)
        return self

    def __exit__(self, *error):
        for part in self._parts:
            find_file(part).madvise(mmap.MADV_NORMAL)

    def announce(self, rows):
        """Ask for the blocks that rows lie in, unless lately done.

        Parameters
        ----------
        rows : ndarray of int
            Which of them are read next.
        """
        if not self._parts:
            return
        rows = rows if self._picked is None else self._picked[rows]
        blocks = np.unique(rows // self._n_together)
        most = _MOST // BLOCK
        if len(blocks) > most:
            return
        new = np.setdiff1d(blocks, self._known, assume_unique=True)
        known = np.union1d(self._known, new)
        self._known = known if len(known) <= most else blocks
        for first in self._n_together * new:
            self._ask(int(first), min(int(first) + self._n_together, self._X.shape[0]))

    def _ask(self, first, last):
        for part in self._parts:
            if sparse.issparse(self._X):
                place, end = int(self._X.indptr[first]), int(self._X.indptr[last])
                _advise(part, part.itemsize * place, part.itemsize * end)
            else:
                width = part.strides[0]
                _advise(part, width * first, width * last)


def take_rows(X, rows):
    """Copy some rows, in any order, and read no others where they are on disk.

    Parameters
    ----------
    X : ndarray, CSR matrix or PickedRows of shape (n_rows, n_features)
        All rows.

    rows : ndarray of int of shape (n_taken,)
        Which rows.

    Returns
    -------
    taken : ndarray or CSR matrix of shape (n_taken, n_features)
        The rows.
    """
    with ReadAhead(X):
        return X[rows]


def find_file(values):
    """Find the file that an array is mapped from.

    Parameters
    ----------
    values : ndarray
        An array, or a view of one.

    Returns
    -------
    file : mmap.mmap or None
        None for an array in memory.
    """
    while isinstance(values, np.ndarray | memoryview):
        is_array = isinstance(values, np.ndarray)
        values = values.base if is_array else values.obj
    return values if isinstance(values, mmap.mmap) else None


def _list_arrays(X):
    if sparse.issparse(X):
        return [X.data, X.indices]
    return [X] if isinstance(X, np.ndarray) and X.flags.c_contiguous else []


def _advise(part, begin, end):
    """Ask for some bytes of an array."""
    file = find_file(part)
    start = np.frombuffer(file, dtype=np.uint8).ctypes.data
    offset = part.ctypes.data - start
    begin = (offset + begin) // mmap.PAGESIZE * mmap.PAGESIZE
    for place in range(begin, offset + end, _REQUEST):
        file.madvise(mmap.MADV_WILLNEED, place, min(_REQUEST, offset + end - place))
