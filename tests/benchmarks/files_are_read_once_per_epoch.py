"""One epoch on a file of 4 GB, by each estimator in a process of its own.

It says something only if memory is short. Run it under a limit, for example with
``systemd-run --scope -p MemoryMax=1G -p MemorySwapMax=0 make bench-disk``, where the
folder of temporary files, TMPDIR, is on a disk. Passes are the bytes that the process
has read from the disk, in sizes of the file: epochs, and looks at all samples before.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

_N_ROWS, _WIDTH, _N_DRAWN = 16_000_000, 64, 200_000

_ESTIMATORS = {
    "reading the file": "None",
    "SVD, 10 directions": "TruncatedSVDReducer(10)",
    "16 atoms": "SparseDictionaryCoder(16, max_epochs=1)",
    "16 keys, 3 epochs": "SparseAttentionCoder(16, max_epochs=3)",
    "network, 8 hidden units": "SparseNetClassifier((8,), max_epochs=1)",
    "TopKAutoencoder, 16 atoms": "TopKAutoencoder(16, n_nonzero_coefs=2, max_epochs=1)",
    "RowScreener": "RowScreener()",
}

_CHILD = """
import os, sys, warnings
from time import perf_counter, process_time
import numpy as np
from sksparse_nn import *

def bytes_read():
    with open("/proc/self/io") as lines:
        return int(next(line for line in lines if "read_bytes" in line).split()[1])

warnings.simplefilter("ignore")
path, estimator = sys.argv[1], eval(sys.argv[2])
X = np.load(path, mmap_mode="r")
y = (np.arange(len(X)) % 7).astype(np.int32)
with open(path, "rb") as file:
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
before, start, cpu = bytes_read(), perf_counter(), process_time()
if estimator is None:
    with open(path, "rb", buffering=0) as file:
        room = bytearray(2**24)
        while file.readinto(room):
            pass
else:
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    estimator.fit(X, y)
print(perf_counter() - start, process_time() - cpu, bytes_read() - before)
"""


def rows(n_rows=_N_ROWS):
    """Yield a row of the table for each estimator."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        n_bytes = _write(path, n_rows)
        for name, estimator in _ESTIMATORS.items():
            arguments = [sys.executable, "-c", _CHILD, path, estimator]
            found = subprocess.run(arguments, check=True, capture_output=True)
            seconds, cpu, n_read = map(float, found.stdout.split())
            yield {
                "estimator": name,
                "seconds": round(seconds, 1),
                "cpu_seconds": round(cpu, 1),
                "passes": round(n_read / n_bytes, 1),
                "gb_per_second": round(n_read / seconds / 1e9, 2),
            }


def _write(path, n_rows):
    """Write samples of 16 directions and noise, and return their bytes."""
    rng = np.random.default_rng(0)
    shape = n_rows, _WIDTH
    X = np.lib.format.open_memmap(path, "w+", dtype=np.float32, shape=shape)
    directions = rng.standard_normal((16, _WIDTH), np.float32)
    for start in range(0, n_rows, _N_DRAWN):
        part = X[start : start + _N_DRAWN]
        part[:] = 0.3 * rng.standard_normal(part.shape, np.float32)
        part += rng.standard_normal((len(part), 16), np.float32) @ directions
    X.flush()
    return X.nbytes
