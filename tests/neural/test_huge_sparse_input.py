"""Rows of very many features, in a process whose memory is measured."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="the system does not tell a process's memory")

SCRIPT = """
import json, resource
import numpy as np
from scipy import sparse
from sksparse_nn import SparseNetClassifier

n_rows, n_features, per_row = 100_000, 50_000, 50
rng = np.random.default_rng(0)
columns = rng.integers(n_features, size=(n_rows, per_row), dtype=np.int32)
values = rng.random((n_rows, per_row), dtype=np.float32)
indptr = np.arange(0, n_rows * per_row + 1, per_row)
X = sparse.csr_array((values.ravel(), columns.ravel(), indptr), (n_rows, n_features))
X.sum_duplicates()
margin = X @ np.sign(rng.standard_normal(n_features))
y = np.where(margin > 0, "yes", "no")
net = SparseNetClassifier((100,), max_epochs=2, batch_size=1024, random_state=0)
accuracy = net.fit(X, y).score(X, y)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps([peak, accuracy]))
"""


@pytest.mark.slow
def test_two_gigabytes_are_enough():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    gigabytes, accuracy = json.loads(done.stdout)
    assert gigabytes < 2
    assert accuracy > 0.9
