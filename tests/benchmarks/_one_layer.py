"""Networks of a layer of K codes or hidden units, and a linear one behind it."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from sklearn.kernel_approximation import RBFSampler
from sklearn.metrics import pairwise_distances
from sklearn.neural_network import MLPClassifier
from torch import nn

from sksparse_nn import (
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TruncatedSVDReducer,
)
from sksparse_nn.modules import SparseCodingLayer

_ALPHA = 0.1
# What is chosen for each contender on held-out training samples.
SETTINGS = [
    {"learning_rate": rate, "label_smoothing": share}
    for rate in (3e-3, 1e-2, 3e-2)
    for share in (0.0, 0.1)
]


@dataclass(frozen=True)
class Size:
    """How large the networks are, and how long they are trained.

    Parameters
    ----------
    width : int
        K, the units of the layer.

    max_epochs : int
        Epochs of each.

    batch_size : int
        Samples per step.
    """

    width: int
    max_epochs: int
    batch_size: int

    @property
    def training(self):
        """Parameters of all networks."""
        return {"max_epochs": self.max_epochs, "batch_size": self.batch_size}


class Scale(nn.Module):
    """Multiply by one number, so that values have a mean square of one."""

    def __init__(self, values):
        super().__init__()
        self.factor = float(1 / values.square().mean().sqrt())

    def forward(self, X):
        return X * self.factor


class Noise(nn.Module):
    """Add noise in training, in root mean squares of the samples."""

    def __init__(self, sigma):
        super().__init__()
        self.sigma = sigma

    def forward(self, X):
        if not self.training:
            return X
        return X + self.sigma * X.square().mean().sqrt() * torch.randn_like(X)


def _dense_module(n_features, n_outputs, *, X, width, sigma, dropout):
    return nn.Sequential(
        Scale(torch.from_numpy(X)),
        Noise(sigma),
        nn.Dropout(dropout),
        nn.Linear(n_features, width),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(width, n_outputs),
    )


def _dense(size, X, seed, *, sigma=0.0, dropout=0.0, times=1, **settings):
    module = partial(
        _dense_module, X=X, width=times * size.width, sigma=sigma, dropout=dropout
    )
    return _network(size, seed, module=module, **settings)


def _network(size, seed, **parameters):
    fixed = {"scheduler": "cosine", "random_state": seed}
    return SparseNetClassifier((), **size.training, **fixed, **parameters)


def _coded(size, X, seed, *, coder, **parameters):
    return _network(size, seed, coder=coder(size, X), **parameters)


def _dictionary(size, X):
    return SparseDictionaryCoder(size.width, alpha=_ALPHA, max_epochs=4, n_jobs=1)


def _attention(size, X):
    return SparseAttentionCoder(size.width, n_jobs=1)


def _directions(size, X):
    return TruncatedSVDReducer(size.width, center=True)


def _random_features(size, X):
    """Return random features of a kernel that halves at the median distance."""
    some = X[np.random.default_rng(0).permutation(len(X))[:500]]
    median = np.median(pairwise_distances(some)[np.triu_indices(len(some), 1)])
    return RBFSampler(gamma=np.log(2) / median**2, n_components=size.width)


def _noisy_dictionary(size, X, seed, *, sigma, **settings):
    """Put noise ahead of the layer of codes, which takes a module of its own."""
    coder = _dictionary(size, X).set_params(random_state=seed).fit(X)

    def module(n_features, n_outputs):
        layer = SparseCodingLayer(coder.components_, alpha=_ALPHA, n_jobs=1)
        with torch.no_grad():
            scale = Scale(layer(torch.from_numpy(X[:2000])))
        head = nn.Linear(size.width, n_outputs)
        return nn.Sequential(Noise(sigma), layer, scale, head)

    return _network(size, seed, module=module, **settings)


def _perceptron(size, X, seed, *, learning_rate, label_smoothing):
    return MLPClassifier(
        (size.width,),
        learning_rate_init=learning_rate,
        alpha=1e-2 if label_smoothing else 1e-4,
        max_iter=size.max_epochs,
        batch_size=size.batch_size,
        random_state=seed,
    )


_fixed = {"tune_coder": False}
LAYERS = {
    "dictionary, trained": partial(_coded, coder=_dictionary),
    "dictionary, trained, dropout": partial(_coded, coder=_dictionary, dropout=0.2),
    "dictionary, trained, noise": partial(_noisy_dictionary, sigma=0.5),
    "dictionary, not trained": partial(_coded, coder=_dictionary, **_fixed),
    "keys of attention, trained": partial(_coded, coder=_attention),
    "principal axes, trained": partial(_coded, coder=_directions),
    "principal axes, not trained": partial(_coded, coder=_directions, **_fixed),
    "random features": partial(_coded, coder=_random_features, **_fixed),
    "dense": _dense,
    "dense, dropout": partial(_dense, dropout=0.2),
    "dense, noise of 0.5": partial(_dense, sigma=0.5),
    "dense, noise of 1": partial(_dense, sigma=1.0),
    "dense, four times the units": partial(_dense, times=4),
    "MLPClassifier": _perceptron,
}
