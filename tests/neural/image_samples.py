"""Small images for the tests of networks, and networks for them."""

from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from torch import nn

from sksparse_nn import SparseNetClassifier

SHAPE = (2, 8, 8)


@cache
def digits():
    """Return images of uint8 of two channels, of unlike size and spread."""
    X, y = load_digits(return_X_y=True)
    X = X[:400].reshape(-1, 8, 8)
    return np.stack([10 * X, 200 - 2 * X], axis=1).astype(np.uint8), y[:400]


def convolutions(n_features, n_outputs, n_channels=6):
    return nn.Sequential(
        nn.Conv2d(2, n_channels, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * n_channels, n_outputs),
    )


def classifier(**parameters):
    given = {"module": convolutions, "learning_rate": 0.01, "max_epochs": 8}
    return SparseNetClassifier(**given | {"random_state": 0} | parameters)
