"""The first transform of a process, and the memory of coding a million rows."""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

_START = """
import numpy as np
from time import perf_counter
from sksparse_nn import SparseDictionaryCoder
rng = np.random.default_rng(0)
X, D = rng.standard_normal((100, 64), "f4"), rng.standard_normal((256, 64), "f4")
coder = SparseDictionaryCoder(
    learner=None, init=D, algorithm="omp", n_nonzero_coefs=6
).fit(X)
start = perf_counter()
coder.transform(X)
print(perf_counter() - start)
"""

_MEMORY = """
import sys, threading, time
import numpy as np
from sksparse_nn import sparse_encode

def resident():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1e3

rows = np.lib.format.open_memmap(
    sys.argv[1], "w+", dtype=np.float32, shape=(1_000_000, 64)
)
rng = np.random.default_rng(0)
for start in range(0, len(rows), 50_000):
    rows[start : start + 50_000] = rng.standard_normal((50_000, 64), np.float32)
D = rng.standard_normal((256, 64), np.float32)
sparse_encode(rows[:1000], D, algorithm="omp", n_nonzero_coefs=6)
before, peak, running = resident(), 0.0, True

def watch():
    global peak
    while running:
        peak = max(peak, resident())
        time.sleep(0.005)

watcher = threading.Thread(target=watch)
watcher.start()
codes = sparse_encode(rows, D, algorithm="omp", n_nonzero_coefs=6, n_jobs=2)
running = False
watcher.join()
output = sum(part.nbytes for part in (codes.data, codes.indices, codes.indptr)) / 1e6
print(peak - before - output)
"""


def rows():
    """Yield a row of the table for each of the three."""
    with TemporaryDirectory() as folder:
        env = os.environ | {"NUMBA_CACHE_DIR": folder}
        for state, wanted in (("never compiled", 15), ("compiled before", 1)):
            yield _row(f"first transform, {state}", _run(_START, env=env), "s", wanted)
        extra = _run(_MEMORY, f"{folder}/rows.npy", env=env)
        yield _row("1,000,000 x 64 memmap, beyond output", extra, "MB", 200)


def _row(work, value, unit, wanted):
    return {
        "work": work,
        "type": "float32",
        "quality": f"{value:.2f} {unit}",
        "wanted": f"under {wanted} {unit}",
    }


def _run(code, *arguments, env):
    command = [sys.executable, "-c", code, *arguments]
    return float(
        subprocess.run(command, check=True, capture_output=True, env=env).stdout
    )
