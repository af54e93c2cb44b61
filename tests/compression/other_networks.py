"""Networks of skorch and MLPs of scikit-learn, with data for each."""

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from skorch import (
    NeuralNet,
    NeuralNetBinaryClassifier,
    NeuralNetClassifier,
    NeuralNetRegressor,
)
from torch import nn

from tests.compression.compressors import Steps


def _digits():
    X, y = load_digits(return_X_y=True)
    return (X[:300] / 16).astype(np.float32), y[:300].astype(np.int64)


X, LABELS = _digits()
IMAGES = X.reshape(-1, 1, 8, 8)
NUMBERS = (LABELS / 9).astype(np.float32)
NAMES = np.array(list("abcdefghij"))[LABELS]


class Convolutions(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self, n_outputs=10):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(144, n_outputs)

    def forward(self, X):
        return self.head(self.body(X))


class Layers(nn.Module):
    """Linear layers, with probabilities as skorch's default loss takes them."""

    def __init__(self, n_outputs=10, squash=False):
        super().__init__()
        last = [nn.Softmax(dim=1)] if squash else []
        self.layers = nn.Sequential(
            nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, n_outputs), *last
        )

    def forward(self, X):
        return self.layers(X)


def skorch_net(kind, module, **given):
    """Return a net that does not print, counts its steps and trains for a while."""
    given = {"lr": 0.1, "max_epochs": 8, "batch_size": 32, "verbose": 0} | given
    return kind(module, callbacks=[("steps", Steps())], **given)


def _mlp(kind, **given):
    return kind(hidden_layer_sizes=(24,), max_iter=15, random_state=0, **given)


NETWORKS = {
    "convolutions": lambda: (
        skorch_net(NeuralNetClassifier, Convolutions, criterion=nn.CrossEntropyLoss),
        IMAGES,
        LABELS,
    ),
    "probabilities": lambda: (
        skorch_net(NeuralNetClassifier, Layers, module__squash=True),
        X,
        LABELS,
    ),
    "two classes": lambda: (
        skorch_net(NeuralNetBinaryClassifier, Convolutions, module__n_outputs=1),
        IMAGES,
        (LABELS > 4).astype(np.float32),
    ),
    "regressor": lambda: (
        skorch_net(NeuralNetRegressor, Layers, module__n_outputs=1),
        X,
        NUMBERS[:, None],
    ),
    "plain net": lambda: (
        skorch_net(NeuralNet, Layers, criterion=nn.CrossEntropyLoss),
        X,
        LABELS,
    ),
    "MLP, names": lambda: (_mlp(MLPClassifier), X, NAMES),
    "MLP, two names": lambda: (
        _mlp(MLPClassifier, activation="tanh"),
        X,
        np.where(LABELS > 4, "high", "low"),
    ),
    "MLP, several labels": lambda: (
        _mlp(MLPClassifier, activation="logistic"),
        X.astype(np.float64),
        np.stack([LABELS > 4, LABELS % 2 == 0], axis=1).astype(int),
    ),
    "MLP, numbers": lambda: (_mlp(MLPRegressor), X.astype(np.float64), NUMBERS),
    "MLP, several numbers": lambda: (
        _mlp(MLPRegressor, solver="sgd"),
        X,
        np.stack([NUMBERS, 1 - NUMBERS], axis=1),
    ),
    "MLP, counts": lambda: (
        _mlp(MLPRegressor, loss="poisson"),
        X.astype(np.float64),
        LABELS.astype(float),
    ),
}


def fitted(name):
    """Return a fitted network of the table, and its data."""
    torch.manual_seed(0)
    network, X, y = NETWORKS[name]()
    return network.fit(X, y), X, y


def answers(estimator, X):
    """Return probabilities of a classifier, and predictions of others."""
    if is_classifier(estimator):
        return estimator.predict_proba(X)
    return estimator.predict(X)


def loss(estimator, X, y):
    """Return the log loss, or the mean squared error."""
    if not is_classifier(estimator):
        return np.mean((estimator.predict(X) - y) ** 2)
    if np.ndim(y) == 2:
        found = estimator.predict_proba(X)
        return -np.mean(np.log(np.where(y > 0, found, 1 - found)))
    return log_loss(y, estimator.predict_proba(X))
