"""Accuracies on few real images."""

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import ImagePatchCoder, SparseNetClassifier


def linear_on(coder):
    head = SparseNetClassifier((), max_epochs=40, weight_decay=1.0, random_state=0)
    return make_pipeline(coder, StandardScaler(copy=False), head)


def test_soft_thresholds_tell_photographs_apart(cifar10):
    scores = {}
    for encoder in ("soft_threshold", "triangle", "hard_assignment"):
        coder = ImagePatchCoder(
            100,
            image_shape=(32, 32, 3),
            algorithm=encoder,
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
