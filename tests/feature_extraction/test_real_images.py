"""A small version of what `examples/cifar10_patches.py` does, and MNIST."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import ImagePatchCoder, SparseNetClassifier


def linear_on(coder):
    head = SparseNetClassifier((), max_epochs=40, weight_decay=1.0, random_state=0)
    return make_pipeline(coder, StandardScaler(copy=False), head)


@pytest.fixture(scope="module")
def cifar10(data_dir):
    """Read the first images of each class: 200 to learn from, 50 to test."""
    parts = {"train": ([], []), "test": ([], [])}
    most = {"train": 200, "test": 50}
    with tarfile.open(data_dir / "cifar10-jpeg.tar.xz") as archive:
        for member in archive:
            path = member.name.split("/")
            if not member.name.endswith(".jpg") or int(path[-1][:-4]) >= most[path[-3]]:
                continue
            picture = Image.open(io.BytesIO(archive.extractfile(member).read()))
            images, labels = parts[path[-3]]
            images.append(np.asarray(picture.convert("RGB")).ravel())
            labels.append(path[-2])
    return {name: (np.array(X), np.array(y)) for name, (X, y) in parts.items()}


def test_soft_thresholds_tell_photographs_apart(cifar10):
    scores = {}
    for encoder in ("soft_threshold", "triangle", "hard_assignment"):
        coder = ImagePatchCoder(
            100,
            image_shape=(32, 32, 3),
            encoder=encoder,
            n_patches=20_000,
            max_epochs=3,
            n_jobs=2,
            random_state=0,
        )
        model = linear_on(coder).fit(*cifar10["train"])
        scores[encoder] = model.score(*cifar10["test"])
    assert scores["soft_threshold"] > 0.48
    assert scores["triangle"] > 0.45
    assert scores["hard_assignment"] < scores["soft_threshold"] - 0.03


def test_mnist_needs_its_shape_only(data_dir):
    with np.load(data_dir / "mnist.npz") as file:
        X, y, X_test, y_test = (
            file[name] for name in ("X_train", "y_train", "X_test", "y_test")
        )
    coder = ImagePatchCoder(image_shape=(28, 28), n_jobs=2, random_state=0)
    coder.set_params(n_components=100, n_patches=20_000, max_epochs=3)
    model = linear_on(coder).fit(X[:4000], y[:4000])
    assert model.score(X_test[:2000], y_test[:2000]) > 0.965
