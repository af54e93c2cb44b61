"""One process against one and two workers of dask, each of one thread.

Strong scaling: the same samples. Weak scaling: as many samples for each worker. Each
worker makes its chunks, so that no data travel; memory is what processes grow by.
"""

from functools import partial
from time import perf_counter

import dask.bag as db
import numpy as np
from distributed import Client, LocalCluster

from sksparse_nn import SparseAttentionCoder, SparseDictionaryCoder, TruncatedSVDReducer
from sksparse_nn.parallel import fit, fit_chunks
from sksparse_nn.solvers._blas_threads import single_threaded_blas
from tests.benchmarks._memory import peak_megabytes

_WIDTH, _ATOMS = 256, 128
_N_CHUNKS, _CHUNK = 16, 8192

_ESTIMATORS = [
    TruncatedSVDReducer(32),
    SparseDictionaryCoder(_ATOMS, max_epochs=3, random_state=0),
    SparseAttentionCoder(_ATOMS, max_epochs=10, random_state=0),
]


# Workers, and how many times the samples.
_CASES = [(1, 1), (2, 1), (2, 2)]


def rows(n_chunks=_N_CHUNKS, n_rows=_CHUNK):
    """Yield a row of the table for each estimator and number of workers."""
    for estimator in _ESTIMATORS:
        loads = [partial(_make, number, n_rows) for number in range(n_chunks)]
        serial = partial(_fit_here, estimator, loads)
        serial()  # compiles
        seconds, memory = _measure(serial)
        row = {"estimator": type(estimator).__name__, "samples": n_chunks * n_rows}
        yield row | {"what": "one process", "seconds": seconds, "client_mb": memory}
        for n_workers, times in _CASES:
            found = _on_workers(estimator, n_workers, times * n_chunks, n_rows)
            wanted = f"{1.15 * seconds:.2f}" if n_workers == 1 else ""
            yield row | found | {"wanted": wanted, "samples": times * row["samples"]}


def _on_workers(estimator, n_workers, n_chunks, n_rows):
    options = {"n_workers": n_workers, "threads_per_worker": 1}
    cluster = LocalCluster(**options, dashboard_address=None)
    with cluster, Client(cluster) as client:
        numbers = db.from_sequence(range(n_chunks), npartitions=n_chunks)
        bag = numbers.map(_make, n_rows=n_rows)
        client.run(_warm_up, estimator)
        seconds, memory = _measure(partial(fit, estimator, bag, client=client))
        peaks = client.run(_peak_megabytes)
    return {
        "what": "workers",
        "workers": n_workers,
        "seconds": seconds,
        "client_mb": memory,
        "worker_mb": round(max(peaks.values())),
    }


def _make(number, n_rows):
    """Make a chunk: sums of few atoms, and noise."""
    atoms = np.random.default_rng(0).standard_normal((_ATOMS, _WIDTH), np.float32)
    rng = np.random.default_rng(1 + number)
    codes = rng.standard_normal((n_rows, _ATOMS), np.float32)
    codes *= rng.random(codes.shape, np.float32) < 4 / _ATOMS
    return codes @ atoms + 0.1 * rng.standard_normal((n_rows, _WIDTH), np.float32)


def _fit_here(estimator, loads):
    with single_threaded_blas():
        return fit_chunks(estimator, loads)


def _warm_up(estimator):
    _fit_here(estimator, [partial(_make, 0, 2 * _ATOMS)])


def _measure(call):
    start, found = perf_counter(), []
    memory = peak_megabytes(lambda: found.append(call()))
    return round(perf_counter() - start, 2), round(memory)


def _peak_megabytes():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e3
