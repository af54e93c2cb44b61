"""Fits to any chunks by any map."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from sksparse_nn.parallel._engine import Engine
from sksparse_nn.parallel._parts import Part, add_up
from sksparse_nn.parallel._passes import Passes
from sksparse_nn.parallel._program import run

Estimator = TypeVar("Estimator")


def fit_chunks(
    estimator: Estimator, chunks: Iterable, *, map: Callable = map
) -> Estimator:
    """Fit an estimator to chunks of samples, on any workers.

    What goes out to a chunk is small: parameters and, say, a dictionary. What comes
    back is small too: sums over the samples. They add up by a tree that depends only on
    the number of chunks. So the result depends neither on the number of workers, nor on
    which of them did what or died, to the last bit if machines round alike. Other
    chunks of the same samples give the same result to rounding for
    `TruncatedSVDReducer`, and another of the same quality for what draws samples.

    - `TruncatedSVDReducer` reads the chunks once. The result is that of `fit` with the
      solver "gram", to rounding.
    - `SparseDictionaryCoder` learns from 10,000 samples or 40 per atom, drawn from all
      chunks, as `fit` does. Then all samples are passed over `max_epochs` times. An
      epoch has up to 16 steps: atoms go out, and sums over codes come back.
    - `SparseAttentionCoder` with ``keys="kmeans"`` passes over the chunks as `fit`
      does over the samples.
    - `ImagePatchCoder` draws `n_patches` patches from all chunks, and learns from them
      as `fit` does.
    - `TopKAutoencoder`, the networks and all others that have `partial_fit` learn from
      the chunks in order, on one worker: `max_epochs` times where there is such a
      parameter, and once otherwise. Samples should be in random order.
    - A Pipeline of these fits one step after another.

    Parameters
    ----------
    estimator : estimator
        It does not change.

    chunks : iterable
        Each is an array, a sparse matrix or a table of samples ``X``, or a tuple
        ``(X, y)`` or ``(X, y, sample_weight)``; the path of a file `.npy` or `.npz`
        that has these; or a function without arguments that returns one of these, on
        the worker. All have the same features in one type. Chunks without samples are
        skipped. What passes over the chunks more than once needs a list or the like.

    map : callable, default=map
        Takes a function and an iterable and returns the results in order, as the
        built-in ``map`` does: of an executor, of joblib, or of a cluster.

    Returns
    -------
    estimator : estimator
        A fitted clone.

    Raises
    ------
    ValueError
        If a chunk cannot be used; the message names it by its place and its path.

    TypeError
        If `chunks` are samples or a path instead of several, or `map` is no function,
        or the estimator cannot learn from chunks.

    See Also
    --------
    fit : The same on collections of dask.

    Examples
    --------
    >>> import numpy as np
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from sksparse_nn import TruncatedSVDReducer
    >>> from sksparse_nn.parallel import fit_chunks
    >>> X = np.random.default_rng(0).normal(size=(1000, 32))
    >>> chunks = np.array_split(X, 7)
    >>> with ThreadPoolExecutor(2) as pool:
    ...     reducer = fit_chunks(TruncatedSVDReducer(3), chunks, map=pool.map)
    >>> one = TruncatedSVDReducer(3).fit(X)
    >>> bool(np.allclose(reducer.singular_values_, one.singular_values_))
    True
    """
    _check_chunks(chunks)
    if not callable(map):
        raise TypeError(f"map must be a function, as the built-in map. Got {map!r}.")
    return run(estimator, MapEngine(chunks, map))


def _check_chunks(chunks):
    if isinstance(chunks, str | PurePath):
        raise TypeError(
            f"chunks must be an iterable of chunks. Got the path {str(chunks)!r}; give "
            "a list of paths."
        )
    if len(getattr(chunks, "shape", ())) == 2:
        raise TypeError(
            f"chunks must be an iterable of chunks. Got {type(chunks).__name__}, which "
            "is one chunk; give a list of such, or use the estimator's fit. "
            "Collections of dask are for sksparse_nn.parallel.fit."
        )
    if not isinstance(chunks, Iterable):
        raise TypeError(
            "chunks must be an iterable of chunks, such as a list. Got "
            f"{type(chunks).__name__}."
        )


class MapEngine(Engine):
    """Chunks that can be iterated over, and a map.

    Parameters
    ----------
    chunks : iterable
        The chunks.

    map : callable
        As the built-in one.
    """

    def __init__(self, chunks, map):  # numpydoc ignore=GL08
        self._chunks, self._map = chunks, map
        self._is_spent = False

    def add_up(self, job):
        """Run a job on the chunks that its round takes."""
        chunks = enumerate(self._read_again())
        chunks = given = _Counted(pair for pair in chunks if job.round.takes(pair[0]))
        if isinstance(self._chunks, Sequence):  # as some maps want it
            chunks = list(given)
        parts = _Counted(map(_check_part, _check_results(self._map(job, chunks))))
        total = add_up(parts)
        n_left = sum(1 for _ in given)
        if parts.number != given.number:
            raise ValueError(
                "map must return a result per chunk. Got "
                f"{parts.number} results of {given.number} chunks"
                + (f", of which {n_left} were not read." if n_left else ".")
            )
        return total

    def pass_over(self, passes, ahead):
        """Let an estimator learn from the chunks in order, on one worker."""
        chunks = self._read_again()
        if passes.n_passes > 1:
            self._check_spent()
        (known,) = self._map(PassOver(passes, ahead), [chunks])
        return known

    def _read_again(self):
        if self._is_spent:
            self._check_spent()
        self._is_spent = True
        return self._chunks

    def _check_spent(self):
        if iter(self._chunks) is self._chunks:
            raise ValueError(
                "The estimator passes over the chunks several times, which needs a "
                f"list or the like. Got {type(self._chunks).__name__}, which gives "
                "them once; give a list of paths, or of functions that load them."
            )


class _Counted:
    """An iterator that counts what it has given."""

    def __init__(self, items):
        self._items, self.number = iter(items), 0

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self._items)
        self.number += 1
        return item


def _check_results(results):
    if not isinstance(results, Iterable):
        raise TypeError(
            "map must return an iterable of results, as the built-in one does. Got "
            f"{type(results).__name__}."
        )
    return results


@dataclass(frozen=True)
class PassOver:
    """Passes over chunks, as a function of all of them."""

    passes: Passes
    ahead: tuple

    def __call__(self, chunks):
        known = self.passes.begin()
        for _ in range(self.passes.n_passes):
            for numbered in enumerate(chunks):
                known = known.learn(numbered, self.ahead, copy=False)
        return known


def _check_part(part):
    if not isinstance(part, Part):
        raise TypeError(
            "map must return results in order, as the built-in one does. Got "
            f"{type(part).__name__} among them; collect them, such as by "
            "map=lambda f, chunks: client.gather(client.map(f, chunks))."
        )
    return part
