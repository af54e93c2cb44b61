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


@pytest.mark.parametrize(
    "name", ["TruncatedSVDReducer", "SparseDictionaryCoder", "RowScreener"]
)
def test_transformers_load_without_torch(name):
    loaded = run(
        f"import sys; from sksparse_nn import {name}; print('torch' in sys.modules)"
    )
    assert loaded.strip() == "False"


# Ahead of code that is to run where torch is not installed.
WITHOUT_TORCH = """
from importlib.machinery import PathFinder
found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: (
    None if name.partition(".")[0] in ("torch", "skorch") else found(name, *rest)
)
"""


def test_transformers_searches_and_displays_work_without_torch():
    code = """
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sksparse_nn import (
    ImagePatchCoder, SparseAttentionCoder, SparseDictionaryCoder, SparsitySearchCV,
    TruncatedSVDReducer, sparse_encode, sparsity_path,
)
from sksparse_nn.inspection import DictionaryDisplay, atom_table, mean_l0
X = np.random.default_rng(0).standard_normal((40, 16))
y = X[:, 0] > 0
coder = SparseDictionaryCoder(6, max_epochs=2, random_state=0)
images = ImagePatchCoder(4, patch_size=2, image_shape=(4, 4), random_state=0)
for step in (coder, TruncatedSVDReducer(3), SparseAttentionCoder(5), images):
    codes = step.fit_transform(X)
codes = coder.transform(X)
pipeline = make_pipeline(coder, LogisticRegression())
search = SparsitySearchCV(pipeline, {"sparsedictionarycoder__alpha": [0.1, 0.2]}, cv=2)
assert search.fit(X, y).best_score_ > 0
DictionaryDisplay.from_estimator(coder)
assert len(atom_table(coder, X)) == 6 and mean_l0(codes) > 0
print("done")
"""
    assert run(WITHOUT_TORCH + code).strip() == "done"


@pytest.mark.parametrize("name", ["SparseNetClassifier", "NetPruner", "for_prediction"])
def test_what_needs_torch_says_how_to_get_it(name):
    code = f"""
try:
    from sksparse_nn import {name}
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    said = run(WITHOUT_TORCH + code)
    assert said.startswith("torch Networks need torch and skorch.")
    assert 'pip install "sksparse-nn[net]"' in said


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
