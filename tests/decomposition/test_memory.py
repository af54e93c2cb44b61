"""Transforming again and again holds on to no memory."""

import subprocess
import sys
from pathlib import Path

import pytest

_GROWTH = """
import gc, resource, sys
import numpy as np
from scipy import sparse
from sksparse_nn import SparseDictionaryCoder

def resident():
    gc.collect()
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()

algorithm, form = sys.argv[1:]
rng = np.random.default_rng(0)
X, D = rng.standard_normal((1000, 32), "f4"), rng.standard_normal((48, 32), "f4")
if form == "csr":
    X = sparse.csr_array(X * (rng.random(X.shape) < 0.5))
sparsity = {"omp": {"n_nonzero_coefs": 8}, "lasso": {"alpha": 6.0}}
settings = {"algorithm": algorithm, **sparsity[algorithm]}
coder = SparseDictionaryCoder(learner=None, init=D, **settings).fit(X)
for n_jobs in (1, 2):
    coder.set_params(n_jobs=n_jobs)
    for _ in range(20):
        coder.transform(X)
    before = resident()
    for _ in range(100):
        coder.transform(X)
    print(resident() - before)
"""


# The rows, their products with the atoms and the codes are over 50 kB each: transforms
# that left one of them behind would cross the line.
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("algorithm", "form"),
    [
        ("omp", "csr"),
        pytest.param("omp", "dense", marks=pytest.mark.slow),
        pytest.param("lasso", "dense", marks=pytest.mark.slow),
    ],
)
def test_a_hundred_transforms_grow_by_less_than_5_megabytes(algorithm, form):
    command = [sys.executable, "-c", _GROWTH, algorithm, form]
    grown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    on_one_thread, on_two_threads = map(int, grown.split())
    assert on_one_thread < 5e6
    assert on_two_threads < 5e6
