"""Fits to collections of dask."""

from typing import Any, TypeVar

import dask

from sksparse_nn.parallel._collections import check_collection, list_blocks
from sksparse_nn.parallel._engine import Engine
from sksparse_nn.parallel._own_tasks import run_own
from sksparse_nn.parallel._parts import Part, add_up
from sksparse_nn.parallel._program import run
from sksparse_nn.solvers._blas_threads import single_threaded_blas

Estimator = TypeVar("Estimator")

# Parts that a task adds up. A power of two, so that the tree is the same as of pairs.
_AT_A_TIME = 8


def fit(
    estimator: Estimator,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    client: Any = None,
) -> Estimator:
    """Fit an estimator to a collection of dask, whose blocks stay where they are.

    Blocks are the chunks of :func:`fit_chunks`, which says how each estimator learns.
    The client gets sums, never samples, other than the few thousand that a dictionary
    or keys start from. Progress shows on dask's dashboard. Each round reads the blocks
    anew unless you persist them, which this function leaves to you.

    Parameters
    ----------
    estimator : estimator
        It does not change.

    X : dask Array, DataFrame or Bag
        Samples: a dense array, or one of CSR matrices; a table; or a bag of chunks as
        :func:`fit_chunks` takes them. An array that is cut along features is cut anew.

    y : dask Array, Series or DataFrame, or array-like, default=None
        Targets, in the blocks of `X` where its lengths are unknown.

    sample_weight : dask Array or Series, or array-like, default=None
        How often each sample counts.

    client : distributed.Client or None, default=None
        Where to compute. None is the client that is there, or else the scheduler that
        dask is set to, which by default are threads of this process.

    Returns
    -------
    estimator : estimator
        A fitted clone.

    Raises
    ------
    ValueError
        If a block cannot be used; the message names it by its number.

    TypeError
        If `X` is no collection of dask, `client` is no client, or the estimator cannot
        learn from blocks.

    See Also
    --------
    fit_chunks : The same on any chunks, by any map.

    Examples
    --------
    >>> import dask.array as da
    >>> from sksparse_nn import TruncatedSVDReducer
    >>> from sksparse_nn import parallel
    >>> X = da.random.default_rng(0).normal(size=(1000, 16), chunks=(300, 16))
    >>> reducer = parallel.fit(TruncatedSVDReducer(4), X)
    >>> parallel.transform(reducer, X)
    dask.array<...shape=(1000, 4), dtype=float64, chunksize=(300, 4)...>
    """
    check_collection(X, "fit")
    _check_client(client)
    return run(estimator, DaskEngine(list_blocks(X, y, sample_weight), client))


class DaskEngine(Engine):
    """Blocks of a collection, and the workers of dask.

    Parameters
    ----------
    blocks : list of Block
        Each becomes a tuple of samples, targets and weights.

    client : distributed.Client or None
        Where to compute.
    """

    def __init__(self, blocks, client):  # numpydoc ignore=GL08
        self._blocks, self._client = blocks, client

    def add_up(self, job):
        """Run a job on the blocks that its round takes."""
        held = dask.delayed(job, traverse=False)  # once in the graph, not once a block
        parts = [
            dask.delayed(_read_block)(held, number, block.assemble, *block.parts)
            for number, block in enumerate(self._blocks)
            if job.round.takes(number)
        ]
        return self._compute(_plan_sum(parts)) if parts else Part()

    def pass_over(self, passes, ahead):
        """Let an estimator learn from the blocks, one task after another."""
        known = dask.delayed(passes.begin(), traverse=False)
        ahead = dask.delayed(ahead, traverse=False)
        for _ in range(passes.n_passes):
            for number, block in enumerate(self._blocks):
                known = dask.delayed(_learn_block)(known, ahead, number, *block)
        return self._compute(known)

    def _compute(self, delayed):
        if self._client is None:
            return delayed.compute()
        return self._client.compute(delayed).result()


def _check_client(client):
    if client is not None and not hasattr(client, "compute"):
        raise TypeError(
            f"client must be a distributed.Client or None. Got {client!r}; make a "
            "Client of its address."
        )


def _plan_sum(parts):
    """Add up parts by the tree of `_parts.add_up`, some at a time."""
    while len(parts) > 1:
        starts = range(0, len(parts), _AT_A_TIME)
        groups = [parts[start : start + _AT_A_TIME] for start in starts]
        parts = [dask.delayed(add_up)(group) for group in groups]
    return parts[0]


def _read_block(job, number, assemble, *parts):
    with single_threaded_blas():  # dask has a thread for each task
        return job((number, assemble(*map(run_own, parts))))


def _learn_block(known, ahead, number, assemble, parts):
    return known.learn((number, assemble(*map(run_own, parts))), ahead)
