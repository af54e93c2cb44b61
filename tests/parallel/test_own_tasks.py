"""Tasks of a block run inside the task that reads it, unless others need them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn import TruncatedSVDReducer, parallel

dask = pytest.importorskip("dask", reason="collections of dask")
distributed = pytest.importorskip("distributed", reason="results on workers")

import dask.array as da  # noqa: E402
import dask.bag as db  # noqa: E402
import dask.dataframe as dd  # noqa: E402

from sksparse_nn.parallel._own_tasks import (  # noqa: E402
    OwnTasks,
    run_own,
    take_own_tasks,
)


def make_part(number, X):
    return X[40 * number : 40 * number + 40]


def array(X):
    return da.from_array(X, chunks=(40, -1)).map_blocks(np.abs).map_blocks(np.sqrt)


def bag(X):
    return db.from_sequence(range(3), npartitions=3).map(make_part, X=X)


def table(X):
    return dd.from_pandas(pd.DataFrame(X), npartitions=3)[[0, 3]]


def from_one_source(X):
    whole = dask.delayed(np.abs)(X)
    parts = [dask.delayed(make_part)(i, whole) for i in range(3)]
    return da.concatenate([da.from_delayed(p, (40, 16), X.dtype) for p in parts])


def windows(X):
    return da.overlap.overlap(array(X), depth={0: 2, 1: 0}, boundary="none")


COLLECTIONS = {
    "array": (array, True),
    "bag": (bag, True),
    "table": (table, True),
    "one source": (from_one_source, False),
    "windows": (windows, False),
}
of_all = pytest.mark.parametrize(
    ("make", "are_own"), COLLECTIONS.values(), ids=COLLECTIONS
)


def parts_of(collection):
    return list(np.ravel(collection.to_delayed()))


@of_all
def test_tasks_that_others_need_are_left_to_the_scheduler(make, are_own, X):
    parts = parts_of(make(X))
    found = take_own_tasks(parts)
    assert [isinstance(part, OwnTasks) for part in found] == [are_own] * len(parts)
    if not are_own:
        assert found == parts


@of_all
def test_parts_stay_the_same(make, are_own, X):
    parts = parts_of(make(X))
    wanted = dask.compute(*parts, scheduler="sync")
    found = dask.compute(*map(run_own, take_own_tasks(parts)), scheduler="sync")
    for one, other in zip(found, wanted, strict=True):
        assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_source_is_read_once(X):
    n_read = []

    def read():
        n_read.append(1)
        return X

    whole = dask.delayed(read)()
    parts = [dask.delayed(make_part)(i, whole) for i in range(3)]
    blocks = da.concatenate([da.from_delayed(p, (40, 16), X.dtype) for p in parts])
    with dask.config.set(scheduler="threads"):
        found = parallel.fit(TruncatedSVDReducer(3), blocks)
    assert len(n_read) == 1
    wanted = parallel.fit_chunks(TruncatedSVDReducer(3), np.array_split(X, 3))
    assert_array_equal(found.components_, wanted.components_)


def test_parts_that_are_missing_stay_missing():
    assert take_own_tasks([None, None]) == [None, None]
    assert run_own(None) is None


@pytest.mark.parametrize("change", [None, np.abs])
def test_results_on_workers_are_not_made_again(change, X):
    options = {"processes": False, "n_workers": 1, "dashboard_address": None}
    with distributed.Client(**options) as client:
        blocks = array(X).persist()
        distributed.wait(blocks)
        blocks = blocks if change is None else blocks.map_blocks(change)
        parts = parts_of(blocks)
        assert take_own_tasks(parts) == parts
        found = parallel.fit(TruncatedSVDReducer(3), blocks, client=client)
    wanted = parallel.fit_chunks(
        TruncatedSVDReducer(3), np.split(np.sqrt(np.abs(X)), 3)
    )
    assert_array_equal(found.components_, wanted.components_)
