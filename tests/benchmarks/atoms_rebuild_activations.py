"""Atoms of activations: dictionary learning against a top-k sparse autoencoder.

Both have as many atoms, and as many active a row, on the last hidden layer of a network
trained on MNIST, and of one on CIFAR-10 where ``SKSPARSE_NN_CIFAR10`` names its folder.
Everything but the fit is measured on test rows.
"""

import os
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    LayerActivations,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TopKAutoencoder,
    load_cifar10,
)
from sksparse_nn.inspection import (
    dead_atoms,
    explained_variance,
    loss_recovered,
    mean_l0,
)
from tests.benchmarks._problems import data_folder


def rows(n_rows=None, n_atoms=512, n_active=(4, 16), max_epochs=50):
    """Yield a row of the table for each data set, sparsity and contestant."""
    for name, (X, y, X_test, y_test) in _data_sets(n_rows):
        net = SparseNetClassifier(
            (256,), learning_rate=1e-3, max_epochs=10, dropout=0.2, random_state=0
        ).fit(X, y)
        activations = LayerActivations(FrozenEstimator(net)).fit(X)
        A, A_test = activations.transform(X), activations.transform(X_test)
        size = f"{len(A)} x {A.shape[1]}, {n_atoms} atoms"
        for k in n_active:
            for who, coder in _contestants(n_atoms, k, max_epochs).items():
                found = _measured(coder, A, A_test)
                lost = loss_recovered(net, found.pop("coder"), X_test, y_test)
                yield (
                    {"work": f"{name} / {who}", "size": size, "active": k}
                    | found
                    | {
                        "loss recovered": f"{lost.recovered_mean:.4f}",
                        "accuracy of the net": f"{net.score(X_test, y_test):.3f}",
                    }
                )


def _contestants(n_atoms, n_active, max_epochs):
    coder = SparseDictionaryCoder(
        n_atoms, algorithm="omp", n_nonzero_coefs=n_active, random_state=0
    )
    centred = make_pipeline(StandardScaler(with_std=False), coder)
    autoencoder = TopKAutoencoder(
        n_atoms, n_nonzero_coefs=n_active, max_epochs=max_epochs, random_state=0
    )
    return {
        "dictionary": coder,
        "dictionary, centred": centred,
        "autoencoder": autoencoder,
    }


def _measured(coder, A, A_test):
    clone(coder).fit(A[:600])  # compiles
    start = perf_counter()
    coder.fit(A)
    fitted = perf_counter()
    codes = coder.transform(A_test)
    coded = perf_counter()
    kept = explained_variance(A_test, coder.inverse_transform(codes))
    return {
        "L0": f"{mean_l0(codes):.2f}",
        "explained variance": f"{kept:.4f}",
        "dead atoms": len(dead_atoms(codes)),
        "s to fit": f"{fitted - start:.3g}",
        "µs a row to code": f"{(coded - fitted) / len(A_test) * 1e6:.3g}",
        "coder": coder,
    }


def _data_sets(n_rows):
    yield "MNIST", _mnist(n_rows)
    folder = os.environ.get("SKSPARSE_NN_CIFAR10")
    if folder:
        yield "CIFAR-10", _cifar10(folder, n_rows)


def _mnist(n_rows):
    with np.load(data_folder() / "mnist.npz") as file:
        arrays = {name.lower(): file[name][:n_rows] for name in file}
    X, X_test = (
        arrays[name].reshape(len(arrays[name]), -1) / np.float32(255)
        for name in ("x_train", "x_test")
    )
    return X, arrays["y_train"].astype(int), X_test, arrays["y_test"].astype(int)


def _cifar10(folder, n_rows):
    parts = []
    for subset in ("train", "test"):
        X, y = load_cifar10(folder, subset=subset, return_X_y=True)
        pixels = (X[:n_rows] / np.float32(255) - np.float32(0.5)) / np.float32(0.25)
        parts += [pixels, y[:n_rows]]
    return parts
