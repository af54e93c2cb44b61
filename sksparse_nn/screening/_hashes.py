"""Hashes of rows: equal rows have equal ones, whatever their layout and type."""

from hashlib import blake2b

import numpy as np
from scipy import sparse

# Odd numbers of splitmix64.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def hash_rows(samples):
    """Hash the rows of samples.

    Parameters
    ----------
    samples : Samples
        The rows.

    Returns
    -------
    keys : ndarray of uint64 of shape (n_samples,)
        Sums modulo 2**64 of a hash per cell. Zeros add nothing, so dense and CSR agree,
        and float types agree where they hold the same numbers.
    """
    steps = _STEP * np.arange(1, samples.numbers.shape[1] + 1, dtype=np.uint64)
    keys = np.zeros(len(samples), dtype=np.uint64)
    for start, block in samples.blocks():
        sums = _hash_csr if sparse.issparse(block) else _hash_dense
        keys[start : start + block.shape[0]] = sums(block, steps)
    for at, cells in samples.texts.items():
        keys += _hash_texts(at, cells)
    for start, block in samples.blocks():
        which = slice(start, start + block.shape[0])
        keys[which] = _mix(keys[which])
    return keys


def _hash_dense(block, steps):
    return _hash_cells(block, steps).sum(axis=1, dtype=np.uint64)


def _hash_csr(block, steps):
    terms = _hash_cells(block.data, steps[block.indices])
    sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
    return sums[block.indptr[1:]] - sums[block.indptr[:-1]]


def _hash_cells(values, steps):
    """Hash numbers with their columns; both zeros become 0, and all NaN are one."""
    values = np.where(np.isnan(values), np.nan, values) + 0.0
    bits = np.ascontiguousarray(values).view(np.uint64)
    return np.where(bits == 0, np.uint64(0), _mix(bits ^ steps))


def _hash_texts(at, cells):
    known = {}
    for cell in cells:
        if cell not in known:
            text = f"{at}:{cell!r}".encode()
            known[cell] = int.from_bytes(blake2b(text, digest_size=8).digest())
    return np.array([known[cell] for cell in cells], dtype=np.uint64)


def _mix(keys):
    """Mix bits, so that keys are spread evenly."""
    keys = (keys ^ (keys >> np.uint64(30))) * _FIRST
    keys = (keys ^ (keys >> np.uint64(27))) * _SECOND
    return keys ^ (keys >> np.uint64(31))
