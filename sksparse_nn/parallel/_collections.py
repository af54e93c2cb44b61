"""Collections of dask as blocks of samples."""

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

import dask.array as da
import numpy as np

from sksparse_nn.parallel import _dask_extra  # noqa: F401 (first)
from sksparse_nn.parallel._chunks import join
from sksparse_nn.parallel._own_tasks import take_own_tasks


def is_array(X):
    """Return whether a collection is an array of dask."""
    return isinstance(X, da.Array)


def is_table(X):
    """Return whether a collection is a table or a column of dask."""
    return hasattr(X, "npartitions") and hasattr(X, "map_partitions") and not is_bag(X)


def is_bag(X):
    """Return whether a collection is a bag of dask."""
    return type(X).__module__.startswith("dask.bag")


def check_collection(X, function):
    """Check that samples are a collection of dask.

    Parameters
    ----------
    X : object
        As the user gave it.

    function : str
        The method of estimators that takes other samples.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not (is_array(X) or is_bag(X) or (is_table(X) and hasattr(X, "columns"))):
        raise TypeError(
            "X must be an array, a DataFrame or a bag of dask. Got "
            f"{type(X).__module__}.{type(X).__name__}; use estimator.{function}, or "
            "sksparse_nn.parallel.fit_chunks for chunks of another kind."
        )


class Block(NamedTuple):
    """A block of samples, put together by the task that reads it.

    A task of its own for that would cost each round as much as one for reading.
    """

    assemble: Callable
    parts: tuple  # of Delayed, OwnTasks or None


def list_blocks(X, y=None, sample_weight=None):
    """List the blocks of samples with their targets and weights.

    Parameters
    ----------
    X : dask Array, DataFrame or Bag
        Samples. A partition of a bag is a block: its chunks are joined.

    y, sample_weight : dask Array or Series, array-like or None, default=None
        In blocks of as many samples; those of arrays are cut again where needed.

    Returns
    -------
    blocks : list of Block
        Each becomes a tuple ``(X, y, sample_weight)``.

    Raises
    ------
    ValueError
        If the numbers of samples or blocks differ.
    """
    if is_bag(X):
        _refuse_beside_bag(y=y, sample_weight=sample_weight)
        return [Block(join, (part,)) for part in take_own_tasks(X.to_delayed())]
    X = whole_rows(X)
    parts = [_split(X)]
    for name, part in {"y": y, "sample_weight": sample_weight}.items():
        aligned = None if part is None else _split(_align(name, part, X))
        parts.append(aligned or [None] * len(parts[0]))
        if len(parts[-1]) != len(parts[0]):
            raise ValueError(
                f"{name} must have the {len(parts[0])} blocks of X. Got "
                f"{len(parts[-1])}; repartition it."
            )
    found = iter(take_own_tasks([part for column in parts for part in column]))
    columns = [list(islice(found, len(column))) for column in parts]
    return [Block(_bundle, parts) for parts in zip(*columns, strict=True)]


def whole_rows(X):
    """Return a collection whose blocks have all features.

    Parameters
    ----------
    X : dask Array or DataFrame
        Maybe cut along features too.

    Returns
    -------
    X : dask Array or DataFrame
        An array is cut along samples only.
    """
    if is_array(X) and any(n > 1 for n in X.numblocks[1:]):
        return X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    return X


def _split(X):
    delayed = X.to_delayed()
    return list(np.ravel(delayed)) if is_array(X) else list(delayed)


def _align(name, part, X):
    """Return targets or weights in the blocks of samples, as far as these are known."""
    if not is_array(X):
        return part if is_array(part) or is_table(part) else _refuse_local(part)
    if is_table(part):
        return part
    rows, part = X.chunks[0], part if is_array(part) else np.asarray(part)
    _check_length(name, part, sum(rows))
    if not is_array(part):
        return da.from_array(part, chunks=(rows, *part.shape[1:]))
    part = whole_rows(part)
    if np.isnan(sum(rows)) or part.chunks[0] == rows:
        return part
    return part.rechunk({0: rows})


def _check_length(name, part, n_samples):
    n_values = part.shape[0] if part.ndim else 1
    if not np.isnan([n_values, n_samples]).any() and n_values != n_samples:
        raise ValueError(
            f"{name} must have a value for each of the {n_samples} samples of X. Got "
            f"{n_values}."
        )


def _refuse_local(part):
    raise ValueError(
        "Beside a DataFrame of dask, y and sample_weight must be of dask too. Got "
        f"{type(part).__name__}; give a column of the same table."
    )


def _refuse_beside_bag(**parts):
    for name, part in parts.items():
        if part is not None:
            raise ValueError(
                f"Chunks of a bag bring their own {name}. Got {name} beside it; make "
                "each chunk a tuple (X, y, sample_weight)."
            )


def _bundle(*parts):
    return parts
