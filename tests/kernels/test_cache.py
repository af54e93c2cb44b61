"""Kernels are compiled whatever has become of the files that keep them."""

import os
import subprocess
import sys

import pytest

import sksparse_nn

# The package is imported without its `__init__`, which takes a second or more.
_SCRIPT = """
import sys, types, warnings
sys.path.insert(0, {folder!r})
sys.modules["sksparse_nn"] = types.ModuleType("sksparse_nn")
sys.modules["sksparse_nn"].__path__ = [{package!r}]
{before}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from doubling import double, halve
    assert (double(3), halve(3)) == (6, 1.5)
for warning in caught:
    sys.stdout.write(str(warning.message).split(" failed")[0] + chr(10))
sys.stdout.write(f"{{len(double.stats.cache_hits)}} from the cache")
"""

_KERNELS = """
from sksparse_nn.kernels._jit import kernel, step

@kernel
def double(x):
    return 2 * x

@step
def halve(x):
    return x / 2
"""


def run(folder, before=""):
    """Compile two kernels in a process and return what it says, line by line."""
    source = folder / "doubling.py"
    if not source.exists():  # Numba may compare times of writing
        source.write_text(_KERNELS)
    package = os.path.dirname(sksparse_nn.__file__)
    script = _SCRIPT.format(folder=str(folder), package=package, before=before)
    answer = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return answer.stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    assert run(folder) == ["0 from the cache"]
    return folder


def halved(data):
    return data[: len(data) // 2]


def overwritten(data):
    return b"not a pickle" * 20


def zeros_amid(data):
    """Stand for machine code of zeros, which unpickles well."""
    third = len(data) // 3
    return data[:third] + bytes(third) + data[2 * third :]


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [("nbi", overwritten), ("nbc", halved), ("nbc", zeros_amid)],
)
def test_damaged_files_are_replaced_and_told_of_once(folder, suffix, damage):
    files = list(folder.glob(f"cache/*/*.{suffix}"))
    assert len(files) == 2
    for file in files:
        file.write_bytes(damage(file.read_bytes()))
    said, n_hits = run(folder)
    assert said.startswith("The cache of compiled code in")
    assert n_hits == "0 from the cache"
    assert run(folder) == ["1 from the cache"]


def test_kernels_without_a_folder_are_compiled_and_it_is_said_once(tmp_path):
    nowhere = (
        "from numba.core.caching import CacheImpl; CacheImpl._locator_classes = []"
    )
    said, n_hits = run(tmp_path, nowhere)
    assert said.startswith("No folder for compiled code")
    assert n_hits == "0 from the cache"


def test_a_package_without_a_folder_is_imported_in_silence():
    script = (
        "from numba.core.caching import CacheImpl; CacheImpl._locator_classes = []\n"
        "import sksparse_nn.kernels.rows"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_kernels_on_a_full_disk_are_compiled_and_it_is_said_once(tmp_path):
    pytest.importorskip("resource")
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    said, n_hits = run(tmp_path, full)
    assert said.startswith("The cache of compiled code in")
    assert n_hits == "0 from the cache"
