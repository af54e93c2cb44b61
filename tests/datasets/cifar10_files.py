"""A few images in all layouts of CIFAR-10."""

import pickle
import tarfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.io import savemat

from sksparse_nn.datasets import load_cifar10
from sksparse_nn.exceptions import DataFormatError

STEMS = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
NAMES = [f"class-{i}" for i in range(10)]
LAYOUTS = ["bin", "mat", "py"]
ENDINGS = {"bin": ".bin", "mat": ".mat", "py": ""}


def make_batches():
    """Return {stem: (pixels, labels)}, three images in each training batch."""
    rng = np.random.default_rng(0)
    sizes = dict.fromkeys(STEMS, 3) | {"test_batch": 4}
    return {
        stem: (
            rng.integers(0, 256, (n, 3072), dtype=np.uint8),
            rng.integers(0, 10, n, dtype=np.uint8),
        )
        for stem, n in sizes.items()
    }


BATCHES = make_batches()


def write_bin(folder):
    for stem, (pixels, labels) in BATCHES.items():
        np.hstack([labels[:, None], pixels]).tofile(folder / f"{stem}.bin")
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")


def write_mat(folder):
    for stem, (pixels, labels) in BATCHES.items():
        savemat(folder / f"{stem}.mat", {"data": pixels, "labels": labels[:, None]})
    cells = np.array(NAMES, dtype=object)[:, None]
    savemat(folder / "batches.meta.mat", {"label_names": cells})


def write_py(folder, dump=lambda content: pickle.dumps(content, protocol=2)):
    for stem, (pixels, labels) in BATCHES.items():
        content = {b"data": pixels, b"labels": labels.tolist(), b"batch_label": b"one"}
        (folder / stem).write_bytes(dump(content))
    meta = {b"label_names": [name.encode() for name in NAMES], b"num_vis": 3072}
    (folder / "batches.meta").write_bytes(dump(meta))


def write(layout, folder):
    folder.mkdir(parents=True, exist_ok=True)
    {"bin": write_bin, "mat": write_mat, "py": write_py}[layout](folder)
    return folder


def pack(folder, archive):
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    return archive


def assert_is_the_data(dataset):
    assert_array_equal(dataset.data, np.vstack([x for x, _ in BATCHES.values()]))
    assert_array_equal(dataset.target, np.hstack([y for _, y in BATCHES.values()]))
    assert dataset.target_names == NAMES


def refusal(path, **options):
    with pytest.raises(DataFormatError) as caught:
        load_cifar10(path, **options)
    return str(caught.value)
