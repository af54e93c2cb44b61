"""Training against a loop written by hand, skorch as it comes, and scikit-learn."""

from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier
from threadpoolctl import threadpool_limits

from sksparse_nn import SparseNetClassifier
from tests.benchmarks._timing import in_turn

_EPOCHS, _BATCH, _RATE = 3, 256, 1e-3

# Ours takes one thread for the first of these on its own.
_THREADS_AND_HIDDEN = [(1, 128), (2, 512)]


def rows(n_rows=50_000, n_features=256, n_classes=10):
    """Yield a row of the table for each network and peer."""
    X, y = make_classification(
        n_rows,
        n_features,
        n_informative=40,
        n_classes=n_classes,
        n_clusters_per_class=1,
        random_state=0,
    )
    X = X.astype(np.float32)
    for n_threads, hidden in _THREADS_AND_HIDDEN:
        with _threads(n_threads):
            for row in _contests(X, y, hidden):
                yield row | {"threads": n_threads}


def _contests(X, y, hidden):
    ours = partial(_ours, X, y, hidden)
    for name, peer, wanted in (
        ("torch loop by hand", _by_hand, 1 / 1.15),
        ("skorch's default", _skorch, 2),
        ("scikit-learn MLPClassifier", _sklearn, 1),
    ):
        peer = partial(peer, X, y, hidden)
        yield in_turn(ours, peer).row(
            work=f"training / {name}",
            size=f"{len(X)} x {X.shape[1]}, {hidden} hidden, {_EPOCHS} epochs",
            wanted=f"{wanted:.2g}",
            quality=f"accuracy {np.mean(ours() == y):.3f}, {np.mean(peer() == y):.3f}",
        )


@contextmanager
def _threads(n_threads):
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    with threadpool_limits(n_threads, user_api="blas"):
        yield
    torch.set_num_threads(before)


def _ours(X, y, hidden):
    net = SparseNetClassifier(
        (hidden,),
        learning_rate=_RATE,
        max_epochs=_EPOCHS,
        batch_size=_BATCH,
        random_state=0,
    )
    return net.fit(X, y).predict(X)


def _module(X, y, hidden):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, int(y.max()) + 1),
    )


def _by_hand(X, y, hidden):
    module = _module(X, y, hidden)
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


def _skorch(X, y, hidden):
    net = NeuralNetClassifier(
        _module(X, y, hidden),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=_RATE,
        max_epochs=_EPOCHS,
        batch_size=_BATCH,
        iterator_train__shuffle=True,
        verbose=0,
    )
    return net.fit(X, y).predict(X)


def _sklearn(X, y, hidden):
    net = MLPClassifier(
        (hidden,),
        alpha=0,
        learning_rate_init=_RATE,
        max_iter=_EPOCHS,
        batch_size=_BATCH,
        random_state=0,
    )
    return net.fit(X, y).predict(X)
