"""What importing costs, and compiling once."""

import os
import subprocess
import sys

import pytest

import sksparse_nn

HEAVY = ["torch", "skorch", "numba", "matplotlib", "pandas", "dask"]


def run(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        **options,
    ).stdout


def test_importing_loads_nothing_heavy():
    loaded = run(
        "import sys, sksparse_nn;"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("name", ["TruncatedSVDReducer", "SparseDictionaryCoder"])
def test_transformers_load_without_torch(name):
    loaded = run(
        f"import sys; from sksparse_nn import {name}; print('torch' in sys.modules)"
    )
    assert loaded.strip() == "False"


@pytest.mark.parametrize("name", sksparse_nn.__all__)
def test_public_names_arrive_on_first_use(name):
    assert getattr(sksparse_nn, name).__name__ == name
    assert name in dir(sksparse_nn)


def test_unknown_names_say_so():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = sksparse_nn.Nothing


def test_a_second_process_compiles_nothing(tmp_path):
    code = """
import numpy as np
from numba.core.dispatcher import Dispatcher
import gc
from sksparse_nn import SparseDictionaryCoder
X = np.random.default_rng(0).standard_normal((40, 6)).astype("f4")
SparseDictionaryCoder(8, max_epochs=1).fit(X).transform(X)
kernels = [k for k in gc.get_objects() if isinstance(k, Dispatcher)]
ours = [k for k in kernels if k.py_func.__module__.startswith("sksparse_nn")]
print(sum(sum(k.stats.cache_misses.values()) for k in ours))
"""
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert int(run(code, env=env)) > 0
    assert int(run(code, env=env)) == 0
