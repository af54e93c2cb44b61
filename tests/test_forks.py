"""Processes forked while threads work, and processes of every kind that share work."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn import SparseDictionaryCoder

_SCRIPT = """
import os, sys, threading, time, warnings
import numpy as np
from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer

warnings.simplefilter("ignore")
X = np.random.default_rng(0).standard_normal((1500, 64)).astype(np.float32)
y = X[:, 0] > 0
ready = TruncatedSVDReducer(8, random_state=0).fit(X)
calls = {
    "learns": SparseNetClassifier((8,), max_epochs=2).fit,
    "learns wide layers": SparseNetClassifier((2048,), max_epochs=1).fit,
    "transforms": lambda X, y: ready.transform(X),
    "sleeps": lambda X, y: time.sleep(0.01),
}
in_threads, in_child = (calls[name] for name in sys.argv[1:])
in_child(X, y)

def repeat():
    while True:
        in_threads(X, y)

for _ in range(2):
    threading.Thread(target=repeat, daemon=True).start()
for _ in range(4):
    time.sleep(0.05)
    child = os.fork()
    if child == 0:
        in_child(X, y)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
sys.stdout.write("done")
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no system without forks has this")
@pytest.mark.parametrize(
    ("in_threads", "in_child"),
    [
        ("learns", "learns"),
        ("sleeps", "learns wide layers"),
        ("transforms", "transforms"),
    ],
)
def test_children_forked_while_threads_work_do_their_own(in_threads, in_child):
    threads = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    answer = subprocess.run(
        [sys.executable, "-c", _SCRIPT, in_threads, in_child],
        env=os.environ | threads,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout == "done"


@pytest.fixture(scope="module")
def coder():
    X = np.random.default_rng(0).standard_normal((300, 8))
    coder = SparseDictionaryCoder(6, alpha=0.1, max_epochs=2, n_jobs=2, random_state=0)
    return coder.fit(X), X, coder.transform(X).toarray()


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_threads_work_under_each_backend_of_joblib(coder, backend):
    coder, X, expected = coder
    parallel = joblib.Parallel(n_jobs=2, backend=backend, timeout=120)
    for codes in parallel(joblib.delayed(coder.transform)(X) for _ in range(2)):
        assert_array_equal(codes.toarray(), expected)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_threads_work_under_each_start_method(coder, method):
    coder, X, expected = coder
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        codes = pool.submit(coder.transform, X).result(timeout=60)
    assert_array_equal(codes.toarray(), expected)
