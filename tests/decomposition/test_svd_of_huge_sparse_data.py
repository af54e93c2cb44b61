"""Matrices that nobody could hold dense, each in a process whose memory is measured."""

import json
import subprocess
import sys
from itertools import product

import pytest

pytest.importorskip("resource", reason="the system does not tell a process's memory")

SHAPES = {
    "330 rows of 2,000,000 features": (330, 2_000_000, 2_000_000),
    "100,000 rows of 100,000 features": (100_000, 100_000, 1_000_000),
}
FITS = {
    "fit": "reducer.fit(X)",
    "centred fit": "reducer.set_params(center=True).fit(X)",
    "stream": """
for start in range(0, n_rows, 10_000):
    reducer.partial_fit(X[start : start + 10_000])
""",
}
SCRIPT = """
import json, resource, warnings
import numpy as np
from scipy import sparse
from sksparse_nn import TruncatedSVDReducer

warnings.simplefilter("ignore")
n_rows, n_features, n_values = {shape}
rng = np.random.default_rng(0)
rows = rng.integers(n_rows, size=n_values)
columns = rng.integers(n_features, size=n_values)
values = rng.standard_normal(n_values).astype(np.float32)
X = sparse.csr_array((values, (rows, columns)), shape=(n_rows, n_features))
for j in range(5):  # directions that stand out
    X = X + sparse.csr_array(
        (np.full(20, 30.0 + j, np.float32), (np.full(20, j), np.arange(20) + 100 * j)),
        shape=X.shape,
    )
reducer = TruncatedSVDReducer(5, random_state=0)
{fit}
Z = reducer.transform(X)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps([peak, reducer.singular_values_.tolist(), Z.shape]))
"""


CASES = [
    pytest.param(shape, fit, marks=[pytest.mark.slow] * (fit != "stream"))
    for shape, fit in product(SHAPES, FITS)
]


@pytest.mark.parametrize(("shape", "fit"), CASES)
def test_two_gigabytes_are_enough(shape, fit):
    shape = SHAPES[shape]
    script = SCRIPT.format(shape=shape, fit=FITS[fit])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    gigabytes, values, coordinates = json.loads(done.stdout)
    assert gigabytes < 2
    assert coordinates == [shape[0], 5]
    assert all(value > 100 for value in values)
