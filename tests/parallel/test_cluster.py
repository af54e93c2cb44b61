"""A cluster of two processes: threads, workers that die, and searches."""

from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_backend
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sksparse_nn import SparseDictionaryCoder
from sksparse_nn.parallel import fit, fit_chunks, transform
from tests.parallel.on_workers import CountsThreads, load_rows

pytest.importorskip("distributed", reason="a cluster of dask")

import dask
import dask.array as da
import dask.bag as db
from distributed import Client, LocalCluster

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Of connections to a worker that was killed.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*Sending large graph:UserWarning"),
]

CODER = SparseDictionaryCoder(16, random_state=0, max_epochs=2)


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    quickly = {"distributed.comm.timeouts.connect": "5s"}  # given up, to a dead worker
    cluster = LocalCluster(**options)
    with dask.config.set(quickly), cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module", name="X")
def digits():
    return (load_digits().data / 16).astype(np.float32)


def test_a_worker_that_dies_loses_nothing(client, X, tmp_path):
    chunks = np.array_split(X, 6)
    for number, chunk in enumerate(chunks):
        np.save(tmp_path / f"{number}.npy", chunk)
    bag = db.from_sequence(range(6), npartitions=6).map(load_rows, folder=tmp_path)
    found = fit(CODER, bag, client=client)
    assert (tmp_path / "killed").exists()
    assert_array_equal(found.components_, fit_chunks(CODER, chunks).components_)


def test_any_map_will_do(client, X):
    chunks = np.array_split(X, 6)

    def gathered(function, chunks):
        return client.gather(client.map(function, chunks))

    found = fit_chunks(CODER, chunks, map=gathered)
    assert_array_equal(found.components_, fit_chunks(CODER, chunks).components_)


def test_blocks_on_workers_are_learnt_from_where_they_are(client, X):
    blocks = da.from_array(X, chunks=(300, -1))
    found = fit(CODER, blocks, client=client)
    one = fit_chunks(CODER, [X[i : i + 300] for i in range(0, len(X), 300)])
    assert_array_equal(found.components_, one.components_)
    codes = client.compute(transform(found, blocks)).result()
    assert_allclose(codes.toarray(), one.transform(X).toarray(), atol=1e-4)


def test_a_task_has_one_thread(client, X):
    lazy = transform(CountsThreads(), da.from_array(X, chunks=(300, -1)))
    assert client.compute(lazy).result().max() == 1
    assert lazy.compute(scheduler="threads").max() == 1


@pytest.mark.slow
@pytest.mark.parametrize("place", ["empty", "out of reach"])
def test_workers_may_compile_at_once_or_have_no_folder_for_it(X, tmp_path, place):
    folder = tmp_path if place == "empty" else Path("/proc/none")
    env = {"NUMBA_CACHE_DIR": str(folder), "HOME": str(folder)}
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    blocks = da.from_array(X, chunks=(900, -1))
    with LocalCluster(**options, env=env) as cluster, Client(cluster) as client:
        found = fit(CODER, blocks, client=client)
    one = fit_chunks(CODER, [X[:900], X[900:]])
    assert_array_equal(found.components_, one.components_)
    assert (place == "empty") == any(tmp_path.rglob("*.nbc"))


def test_a_search_on_a_cluster_has_the_scores_of_a_serial_one(client, X):
    y = load_digits().target
    pipeline = make_pipeline(
        SparseDictionaryCoder(16, max_epochs=2, random_state=0),
        LogisticRegression(max_iter=20),
    )
    grid = {"sparsedictionarycoder__alpha": [0.1, 0.3]}
    one = GridSearchCV(pipeline, grid, cv=2).fit(X[:400], y[:400])
    with parallel_backend("dask", client=client):
        other = GridSearchCV(pipeline, grid, cv=2).fit(X[:400], y[:400])
    for split in ("split0_test_score", "split1_test_score"):
        assert_array_equal(one.cv_results_[split], other.cv_results_[split])
