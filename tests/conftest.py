"""What all tests share. Read before any test module is imported."""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest

collect_ignore = ["benchmarks"]

_ROOT = Path(__file__).resolve().parents[1]

os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# The suite runs on several processes; a threaded BLAS in each would only be in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Numba's disk cache does not notice a change in a kernel that a cached kernel calls
# from another file. One cache a state of the kernels is always right.
_SOURCES = sorted((_ROOT / "sksparse_nn" / "kernels").glob("*.py"))
_STATE = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()
os.environ.setdefault("NUMBA_CACHE_DIR", str(_ROOT / ".cache" / f"numba-{_STATE[:12]}"))


@pytest.fixture(scope="session")
def data_dir():
    """Folder of the real data; tests that need it skip where it is absent."""
    beside = _ROOT.parent / "shared" / "data"
    folder = Path(os.environ.get("SKSPARSE_NN_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}; set SKSPARSE_NN_DATA to where it is")
    return folder


@pytest.fixture(autouse=True)
def _same_random_numbers():
    """Start every test from the same state of the global random numbers.

    An estimator without a random_state draws from them, so that a test would otherwise
    be another one in each run.
    """
    np.random.seed(0)  # noqa: NPY002
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
