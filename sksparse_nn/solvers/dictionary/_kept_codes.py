"""Codes of all rows: in memory while they are few, otherwise in temporary files."""

from tempfile import TemporaryFile

import numpy as np
from scipy import sparse

from sksparse_nn.solvers._rows import block_slices

_MOST = 2**25  # bytes of one kind of numbers that stay in memory
_PLACES = 2**22  # that are looked up at a time


class KeptCodes:
    """Codes of all rows, whose values can be overwritten.

    Parameters
    ----------
    n_atoms : int
        Width of the codes.

    dtype : dtype
        Type of the values.

    Attributes
    ----------
    indptr, indices, values : ndarray
        All codes in CSR form, after `join`.
    """

    def __init__(self, n_atoms, dtype):
        self._n_atoms, self._counts = n_atoms, []
        self._indices = _Numbers(np.min_scalar_type(n_atoms))
        self._values = _Numbers(dtype)

    def append(self, block):
        """Add a result of `compress_codes`, in the order of the rows."""
        counts, indices, values = block
        self._counts.append(counts)
        self._indices.append(indices)
        self._values.append(values)

    def join(self):
        """Make all that was added one matrix; nothing can be added after."""
        counts = np.concatenate([np.zeros(1, np.int32), *self._counts])
        self.indptr = np.cumsum(counts, dtype=np.int64)
        self.indices, self.values = self._indices.join(), self._values.join()
        del self._counts, self._indices, self._values

    @property
    def arrays(self):
        """The three arrays of the CSR form."""
        return self.indptr, self.indices, self.values

    def take(self, rows):
        """Copy the codes of some rows into a CSR array."""
        starts = self.indptr[rows]
        counts = self.indptr[rows + 1] - starts
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        places = np.repeat(starts - indptr[:-1], counts) + np.arange(indptr[-1])
        indices = self.indices[places].astype(np.int32)
        parts = self.values[places], indices, indptr
        return sparse.csr_array(parts, shape=(len(rows), self._n_atoms))

    def find_entries(self):
        """Yield each atom, the places of its values, and their rows.

        Some atoms at a time, as the places of all would take as much as the codes.
        """
        n_parts = max(1, -(-len(self.indices) // _PLACES))
        for some in block_slices(self._n_atoms, max(1, self._n_atoms // n_parts)):
            places = self._find_places(some)
            of_atoms = self.indices[places]
            places = places[np.argsort(of_atoms, kind="stable")]
            stops = np.cumsum(np.bincount(of_atoms, minlength=some.stop)[some])
            for atom, entries in enumerate(np.split(places, stops[:-1]), some.start):
                rows = np.searchsorted(self.indptr, entries, side="right") - 1
                yield atom, entries, rows

    def _find_places(self, atoms):
        """Return the places of the values of neighbouring atoms."""
        found = []
        for where in block_slices(len(self.indices), _PLACES):
            indices = self.indices[where]
            are_theirs = (indices >= atoms.start) & (indices < atoms.stop)
            found.append(where.start + np.flatnonzero(are_theirs))
        return np.concatenate(found or [np.empty(0, np.int64)])


class _Numbers:
    """Numbers of one type, in a temporary file once they are many."""

    def __init__(self, dtype):
        self._dtype, self._n, self._parts, self._file = np.dtype(dtype), 0, [], None

    def append(self, part):
        self._n += part.size
        self._parts.append(part.astype(self._dtype, copy=False))
        if self._n * self._dtype.itemsize > _MOST:
            self._write()

    def _write(self):
        """Move what is in memory into the file."""
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115  `join` closes it
        for part in self._parts:
            part.tofile(self._file)
        self._parts = []

    def join(self):
        """Return all numbers as an array that can be written to."""
        if self._file is None:
            return np.concatenate([np.empty(0, self._dtype), *self._parts])
        with self._file:
            self._file.flush()
            memory = np.memmap(self._file, self._dtype, "r+", shape=(self._n,))
            return np.asarray(memory)  # which kernels take
