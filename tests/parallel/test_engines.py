"""The recipes for other engines, on one machine, where these are installed."""

import shutil
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

from sksparse_nn import SparseDictionaryCoder, TruncatedSVDReducer
from sksparse_nn.parallel import fit_chunks

pytestmark = [
    pytest.mark.slow,
    # What the engines do with sockets, files and settings of their own.
    pytest.mark.filterwarnings("ignore"),
]
ESTIMATORS = [
    TruncatedSVDReducer(8),
    SparseDictionaryCoder(16, max_epochs=2, random_state=0),
]


@pytest.fixture(scope="module")
def by_ray():
    ray = pytest.importorskip("ray", reason="the engine Ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)

    def by_ray(function, chunks):
        task, held = ray.remote(lambda f, chunk: f(chunk)), ray.put(function)
        return ray.get([task.remote(held, chunk) for chunk in chunks])

    yield by_ray
    ray.shutdown()


@pytest.fixture(scope="module")
def by_spark():
    sql = pytest.importorskip("pyspark.sql", reason="the engine Spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    builder = sql.SparkSession.builder.master("local[2]")
    builder = builder.config("spark.ui.enabled", "false")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # of its workers
        spark = builder.getOrCreate()

    def by_spark(function, chunks):
        chunks = list(chunks)
        found = spark.sparkContext.parallelize(chunks, len(chunks)).map(function)
        return found.collect()

    yield by_spark
    spark.stop()


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("engine", ["by_ray", "by_spark"])
def test_files_are_learnt_from_as_by_the_built_in_map(
    engine, estimator, request, tmp_path
):
    X = (load_digits().data / 16).astype(np.float32)
    paths = [tmp_path / f"{number}.npy" for number in range(4)]
    for path, chunk in zip(paths, np.array_split(X, 4), strict=True):
        np.save(path, chunk)
    found = fit_chunks(estimator, paths, map=request.getfixturevalue(engine))
    assert_array_equal(found.components_, fit_chunks(estimator, paths).components_)
