"""Rows and dictionaries to code with: patches of real images, and random atoms."""

import io
import os
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.feature_extraction.text import TfidfVectorizer

from sksparse_nn import SparseDictionaryCoder

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def data_folder():
    """Return the folder of the data sets."""
    return Path(os.environ.get("SKSPARSE_NN_DATA", _BESIDE))


@cache
def _pictures(n_images):
    with tarfile.open(data_folder() / "cifar10-jpeg.tar.xz") as archive:
        names = (member for member in archive if member.name.endswith(".jpg"))
        taken = (member for _, member in zip(range(n_images), names, strict=False))
        pictures = [
            Image.open(io.BytesIO(archive.extractfile(m).read())) for m in taken
        ]
        return np.array([np.asarray(p.convert("RGB")) for p in pictures])


def _images():
    return _pictures(2000).astype(np.float64)


def images(n_images):
    """Return CIFAR-10 images as rows of 3072 numbers in [0, 1], float32."""
    return _pictures(n_images).reshape(n_images, -1).astype(np.float32) / 255


@cache
def posts():
    """Return the TF-IDF of all words of all posts of 20 Newsgroups, float32."""
    with tarfile.open(data_folder() / "20newsgroups.tar.xz") as archive:
        files = (member for member in archive if member.isfile())
        texts = [archive.extractfile(member).read() for member in files]
    return TfidfVectorizer(decode_error="replace", dtype=np.float32).fit_transform(
        texts
    )


@cache
def patches(n_features, n_rows):
    """Return patches of CIFAR-10 images, their means removed.

    192 features are 8 x 8 colour patches; 64 and 36 are 8 x 8 and 6 x 6 grey ones.
    """
    rng = np.random.default_rng(0)
    images = _images()
    if n_features == 192:
        side = 8
    else:
        images, side = images.mean(axis=3, keepdims=True), int(np.sqrt(n_features))
    which = rng.integers(len(images), size=n_rows)
    corners = rng.integers(33 - side, size=(n_rows, 2))
    rows = np.array(
        [
            images[i, r : r + side, c : c + side].ravel()
            for i, (r, c) in zip(which, corners, strict=True)
        ]
    )
    return rows - rows.mean(axis=1, keepdims=True)


@cache
def random_atoms(n_atoms, n_features):
    """Return random unit atoms."""
    D = np.random.default_rng(1).standard_normal((n_atoms, n_features))
    return D / np.linalg.norm(D, axis=1, keepdims=True)


@cache
def learnt_atoms(n_atoms, n_features):
    """Return atoms learnt from patches: coherent ones, as those of real data are."""
    coder = SparseDictionaryCoder(
        n_atoms,
        algorithm="omp",
        n_nonzero_coefs=5,
        max_epochs=3,
        n_jobs=2,
        random_state=0,
    )
    rows = patches(n_features, 20_000)
    return coder.fit(rows.astype(np.float32)).components_.astype(np.float64)
