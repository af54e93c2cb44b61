"""What codes of as many nonzeros lose of a row, and what a linear model sees in them.

The error is the share of the variance about the mean of the fitted rows that is lost of
the test rows. No time is taken.
"""

import os
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import SparseAttentionCoder, SparseDictionaryCoder

_N_KEYS = 64
_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def rows():
    """Yield a row of the table for each data set and way to code."""
    for data, load in (("digits", _digits), ("MNIST", _mnist)):
        train, test, labels = load()
        yield {"data": data, "codes": "pixels"} | _seen(train, test, labels)
        for name, coder in _coders():
            codes = coder.fit_transform(train), coder.transform(test)
            rebuilt = coder.inverse_transform(codes[1])
            left = np.sum((test - rebuilt) ** 2) / np.sum((test - train.mean(0)) ** 2)
            error = {"error": round(float(left), 3)}
            yield {"data": data, "codes": name} | _seen(*codes, labels) | error


def _coders():
    yield "sparsemax of 1: k-means", _attention(n_active=1)
    for k in (3, 8):
        yield f"sparsemax of {k}", _attention(n_active=k)
        yield f"entmax of {k}", _attention(n_active=k, mapping="entmax15")
        yield f"sparsemax of {k}, medoids", _attention(n_active=k, keys="medoids")
        yield f"sparsemax of {k}, learned", _attention(n_active=k, keys="learned")
    yield "converged, k-means", _attention(iterate=True)
    yield "converged, medoids", _attention(iterate=True, keys="medoids")
    yield "converged, archetypes", _attention(iterate=True, keys="learned")
    for k in (3, 8):
        yield f"PCA of {k}", PCA(k, random_state=0)
        yield f"OMP of {k}", _centred_pursuit(k)


def _attention(**setting):
    return SparseAttentionCoder(_N_KEYS, max_epochs=20, random_state=0, **setting)


def _centred_pursuit(k):
    coder = SparseDictionaryCoder(
        _N_KEYS, algorithm="omp", n_nonzero_coefs=k, random_state=0
    )
    return make_pipeline(StandardScaler(with_std=False), coder)


def _digits():
    X, y = load_digits(return_X_y=True)
    train, test, *labels = train_test_split(
        X.astype(np.float32) / 16, y, test_size=0.3, stratify=y, random_state=0
    )
    return train, test, labels


def _mnist():
    folder = Path(os.environ.get("SKSPARSE_NN_DATA", _BESIDE))
    with np.load(folder / "mnist.npz") as file:
        images = {name: file[name] for name in file.files}
    train, test = (
        images[name].reshape(-1, 784).astype(np.float32) / 255
        for name in ("X_train", "X_test")
    )
    return train[:10_000], test, (images["y_train"][:10_000], images["y_test"])


def _seen(train, test, labels):
    """Return nonzeros a row, and the accuracy of a linear model."""
    model = make_pipeline(
        StandardScaler(with_mean=False), LogisticRegression(max_iter=1000)
    )
    accuracy = model.fit(train, labels[0]).score(test, labels[1])
    n_nonzero = test.nnz if sparse.issparse(test) else np.count_nonzero(test)
    nonzeros = round(float(n_nonzero / test.shape[0]), 1)
    return {"nonzeros": nonzeros, "accuracy": round(accuracy, 3)}
