"""Training against a loop written by hand, skorch as it comes, and scikit-learn."""

from functools import partial

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier

from sksparse_nn import SparseNetClassifier
from tests.benchmarks._timing import in_turn

_EPOCHS, _BATCH, _HIDDEN, _RATE = 3, 256, 128, 1e-3


def rows(n_rows=50_000, n_features=256, n_classes=10):
    """Yield a row of the table for each peer."""
    X, y = make_classification(
        n_rows,
        n_features,
        n_informative=40,
        n_classes=n_classes,
        n_clusters_per_class=1,
        random_state=0,
    )
    X = X.astype(np.float32)
    ours = partial(_ours, X, y)
    for name, peer, wanted in (
        ("torch loop by hand", partial(_by_hand, X, y), 1 / 1.15),
        ("skorch's default", partial(_skorch, X, y), 2),
        ("scikit-learn MLPClassifier", partial(_sklearn, X, y), 1),
    ):
        yield in_turn(ours, peer, n_rounds=5).row(
            work=f"training / {name}",
            size=f"{n_rows} x {n_features}, {_HIDDEN} hidden, {_EPOCHS} epochs",
            threads=2,
            wanted=f"{wanted:.2g}",
            quality=f"accuracy {np.mean(ours() == y):.3f}, {np.mean(peer() == y):.3f}",
        )


def _ours(X, y):
    net = SparseNetClassifier(
        (_HIDDEN,),
        learning_rate=_RATE,
        max_epochs=_EPOCHS,
        batch_size=_BATCH,
        random_state=0,
    )
    return net.fit(X, y).predict(X)


def _module(X, y):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], _HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(_HIDDEN, int(y.max()) + 1),
    )


def _by_hand(X, y):
    module = _module(X, y)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=_RATE, weight_decay=0, fused=True
    )
    for _ in range(_EPOCHS):
        order = torch.randperm(len(X))
        for start in range(0, len(X), _BATCH):
            chosen = order[start : start + _BATCH]
            optimizer.zero_grad()
            answers = module(inputs[chosen])
            torch.nn.functional.cross_entropy(answers, targets[chosen]).backward()
            optimizer.step()
    with torch.inference_mode():
        return module(inputs).argmax(dim=1).numpy()


def _skorch(X, y):
    net = NeuralNetClassifier(
        _module(X, y),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=_RATE,
        max_epochs=_EPOCHS,
        batch_size=_BATCH,
        iterator_train__shuffle=True,
        verbose=0,
    )
    return net.fit(X, y).predict(X)


def _sklearn(X, y):
    net = MLPClassifier(
        (_HIDDEN,),
        alpha=0,
        learning_rate_init=_RATE,
        max_iter=_EPOCHS,
        batch_size=_BATCH,
        random_state=0,
    )
    return net.fit(X, y).predict(X)
