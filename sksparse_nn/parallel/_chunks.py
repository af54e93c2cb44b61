"""Chunks of samples: what a user may give as one, and what is read from it."""

import os
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.validation import _num_samples

_NAMES = "X", "y", "sample_weight"


class Chunk(NamedTuple):
    """Samples with their targets and weights."""

    X: Any
    y: Any = None
    sample_weight: Any = None

    @property
    def is_empty(self):
        """Whether there is no sample of weight above zero."""  # numpydoc ignore=RT01
        if _num_samples(self.X) == 0:
            return True
        return self.sample_weight is not None and not np.any(self.sample_weight)


def load(chunk):
    """Read a chunk.

    Parameters
    ----------
    chunk : array-like, sparse matrix, table, tuple, path or callable
        ``X``, ``(X, y)`` or ``(X, y, sample_weight)``; a file of NumPy or SciPy that
        has these; or what returns one of these.

    Returns
    -------
    chunk : Chunk
        Its samples.

    Raises
    ------
    ValueError
        If lengths differ, or a file is of another kind.
    """
    if callable(chunk):
        chunk = chunk()
    if isinstance(chunk, str | os.PathLike):
        chunk = _load_file(os.fspath(chunk))
    parts = _check_parts(chunk) if isinstance(chunk, tuple) else (chunk,)
    chunk = Chunk(*parts)
    _check_lengths(chunk)
    return chunk


def name_chunk(number, chunk):
    """Return the name of a chunk for messages.

    Parameters
    ----------
    number : int
        Its place among all.

    chunk : object
        The chunk as it was given.

    Returns
    -------
    name : str
        Its number, and its path where it has one.
    """
    if isinstance(chunk, str | os.PathLike):
        return f"Chunk {number} ({os.fspath(chunk)})"
    return f"Chunk {number}"


def join(chunks):
    """Join chunks to one.

    Parameters
    ----------
    chunks : list
        At least one, each as `load` takes it.

    Returns
    -------
    chunk : tuple
        Samples, targets and weights.
    """
    loaded = [load(chunk) for chunk in chunks]
    return tuple(_concatenate(parts) for parts in zip(*loaded, strict=True))


def _concatenate(parts):
    if any(part is None for part in parts):
        return None
    if len(parts) == 1:
        return parts[0]
    if all(map(sparse.issparse, parts)):
        return sparse.vstack(parts, format="csr")
    if all(hasattr(part, "iloc") for part in parts):
        from pandas import concat

        return concat(parts)
    return np.concatenate([np.asarray(part) for part in parts])


def _load_file(path):
    suffix = os.path.splitext(path)[1]
    if suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if suffix != ".npz":
        raise ValueError(
            f"Chunks are files of .npy or .npz. Got {path!r}; give a function that "
            "loads it, such as functools.partial(pandas.read_parquet, path)."
        )
    with np.load(path, allow_pickle=False) as arrays:
        if "format" in arrays:
            return sparse.load_npz(path)
        if "X" not in arrays or not set(arrays) <= set(_NAMES):
            raise ValueError(
                "A file of .npz must be written by scipy.sparse.save_npz, or have X, "
                f"and maybe y and sample_weight. Got {sorted(arrays)}; write "
                "numpy.savez(path, X=X, y=y)."
            )
        return tuple(arrays.get(name) for name in _NAMES)


def _check_parts(chunk):
    if 1 <= len(chunk) <= len(_NAMES):
        return chunk
    raise ValueError(
        f"A chunk must be X, (X, y) or (X, y, sample_weight). Got {len(chunk)} parts."
    )


def _check_lengths(chunk):
    n_samples = _num_samples(chunk.X)
    for name in _NAMES[1:]:
        part = getattr(chunk, name)
        if part is not None and _num_samples(part) != n_samples:
            raise ValueError(
                f"{name} must have a value for each of the {n_samples} samples. Got "
                f"{_num_samples(part)}."
            )
