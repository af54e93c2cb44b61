"""One process against one and two workers of dask, each of one thread.

Strong scaling: the same samples. Weak scaling: as many samples for each worker. Each
worker reads its chunks from files, so that no data travel; memory is what processes
grow by. Workers keep freed memory for the next arrays, as the guide advises.
"""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import dask
import dask.bag as db
import numpy as np
from distributed import Client, LocalCluster

from sksparse_nn import SparseAttentionCoder, SparseDictionaryCoder, TruncatedSVDReducer
from sksparse_nn.parallel import fit, fit_chunks
from sksparse_nn.solvers._blas_threads import single_threaded_blas
from tests.benchmarks._memory import peak_megabytes

_WIDTH, _ATOMS = 256, 128
_N_CHUNKS, _CHUNK = 64, 16_384

_ESTIMATORS = [
    TruncatedSVDReducer(32),
    SparseDictionaryCoder(_ATOMS, max_epochs=3, random_state=0),
    SparseAttentionCoder(_ATOMS, max_epochs=10, random_state=0),
]


# How workers keep freed memory.
_KEPT = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**28,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**25,
}

# Workers, and how many times the samples.
_CASES = [(1, 1), (2, 1), (2, 2)]


def rows(n_chunks=_N_CHUNKS, n_rows=_CHUNK):
    """Yield a row of the table for each estimator and number of workers."""
    with TemporaryDirectory() as folder:
        paths = [_write(Path(folder), number, n_rows) for number in range(n_chunks)]
        for estimator in _ESTIMATORS:
            name = {"estimator": type(estimator).__name__}
            for row in _rows_of(estimator, paths):
                yield name | row | {"samples": row.pop("times") * n_chunks * n_rows}


def _rows_of(estimator, paths):
    _fit_here(estimator, paths[:1])  # compiles
    seconds, memory = _measure(partial(_fit_here, estimator, paths))
    yield {"what": "one process", "times": 1, "seconds": seconds, "client_mb": memory}
    for n_workers, times in _CASES:
        found = _on_workers(estimator, n_workers, times * paths)
        wanted = f"{1.15 * seconds:.2f}" if n_workers == 1 else ""
        yield {"what": "workers", "times": times} | found | {"wanted": wanted}


def _on_workers(estimator, n_workers, paths):
    options = {"n_workers": n_workers, "threads_per_worker": 1}
    with dask.config.set(_KEPT):
        cluster = LocalCluster(**options, dashboard_address=None)
    with cluster, Client(cluster) as client:
        bag = db.from_sequence(paths, npartitions=len(paths)).map(np.load)
        client.run(_fit_here, estimator, paths[:1])  # compiles
        seconds, memory = _measure(partial(fit, estimator, bag, client=client))
        peaks = client.run(_peak_megabytes)
    return {
        "workers": n_workers,
        "seconds": seconds,
        "client_mb": memory,
        "worker_mb": round(max(peaks.values())),
    }


def _write(folder, number, n_rows):
    """Write a chunk, sums of few atoms and noise, and return its path."""
    atoms = np.random.default_rng(0).standard_normal((_ATOMS, _WIDTH), np.float32)
    rng = np.random.default_rng(1 + number)
    codes = rng.standard_normal((n_rows, _ATOMS), np.float32)
    codes *= rng.random(codes.shape, np.float32) < 4 / _ATOMS
    noise = rng.standard_normal((n_rows, _WIDTH), np.float32)
    path = folder / f"{number:03d}.npy"
    np.save(path, codes @ atoms + 0.1 * noise)
    return path


def _fit_here(estimator, paths):
    with single_threaded_blas():
        fit_chunks(estimator, [partial(np.load, path) for path in paths])


def _measure(call):
    start, found = perf_counter(), []
    memory = peak_megabytes(lambda: found.append(call()))
    return round(perf_counter() - start, 2), round(memory)


def _peak_megabytes():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e3
