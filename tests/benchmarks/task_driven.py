"""Dictionaries that are trained with the network, against the layers they replace.

Networks of one layer of K units and a linear one behind it. The learning rate of each
is chosen on a fifth of the training samples; all have samples of unit norm, a cosine
schedule and as many epochs. Numbers are means over folds or seeds.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits
from torch import nn

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier
from sksparse_nn._files import replacing
from sksparse_nn.modules import SparseCodingLayer
from tests.benchmarks._problems import data_folder

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
_ALPHA = 0.1
_RATES = (1e-3, 3e-3, 1e-2)


class Scale(nn.Module):
    """Multiply by one number, so that values have a mean square of one."""

    def __init__(self, values):
        super().__init__()
        self.factor = float(1 / values.square().mean().sqrt())

    def forward(self, X):
        return X * self.factor


class Noise(nn.Module):
    """Add noise in training, in root mean squares of the samples."""

    def forward(self, X):
        if not self.training:
            return X
        return X + 0.5 * X.square().mean().sqrt() * torch.randn_like(X)


def dense(n_features, n_outputs, *, X, width, first=()):
    """Make a dense layer of ReLUs."""
    return nn.Sequential(
        Scale(X),
        *first,
        nn.Linear(n_features, width),
        nn.ReLU(),
        nn.Linear(width, n_outputs),
    )


def coded(n_features, n_outputs, *, X, width, seed, is_trained):
    """Make a layer of codes in a dictionary that was learnt without labels."""
    coder = SparseDictionaryCoder(width, alpha=_ALPHA, max_epochs=4, random_state=seed)
    layer = SparseCodingLayer(coder.fit(X.numpy()).components_, alpha=_ALPHA)
    layer.requires_grad_(is_trained)
    with torch.no_grad():
        scale = Scale(layer(X[:2000]))
    return nn.Sequential(layer, scale, nn.Linear(width, n_outputs))


@dataclass(frozen=True)
class Problem:
    """What is learnt: splits of samples, and the sizes of networks."""

    name: str
    splits: list
    width: int
    max_epochs: int
    batch_size: int


def contenders(problem, X, seed):
    """Return callables that make modules, by name."""
    X, K = torch.from_numpy(X), problem.width
    with_noise = partial(dense, first=[Noise()])
    with_dropout = partial(dense, first=[nn.Dropout(0.2)])
    codes = partial(coded, X=X, width=K, seed=seed)
    return {
        "dictionary, trained with the labels": partial(codes, is_trained=True),
        "dictionary, learnt without labels": partial(codes, is_trained=False),
        "dense layer": partial(dense, X=X, width=K),
        "dense layer, noise": partial(with_noise, X=X, width=K),
        "dense layer, dropout": partial(with_dropout, X=X, width=K),
        "dense layer of four times as many": partial(dense, X=X, width=4 * K),
    }


def fitted(problem, make, X, y, *, rate, seed):
    """Train a network."""
    net = SparseNetClassifier(
        module=make,
        learning_rate=rate,
        scheduler="cosine",
        max_epochs=problem.max_epochs,
        batch_size=problem.batch_size,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return net.fit(X, y)


def best_rate(problem, make_of, seed, X, y):
    """Choose the learning rate on a fifth of the training samples."""
    parts = train_test_split(X, y, test_size=0.2, stratify=y, random_state=seed)
    X_fit, X_held, y_fit, y_held = parts
    make = make_of(X_fit)
    scores = [
        fitted(problem, make, X_fit, y_fit, rate=rate, seed=seed).score(X_held, y_held)
        for rate in _RATES
    ]
    return _RATES[int(np.argmax(scores))]


def measured(problem):
    """Yield a row for each contender and split."""
    rates = {}
    for seed, (X, y, X_test, y_test) in enumerate(problem.splits):
        for name, make in contenders(problem, X, seed).items():
            if name not in rates:

                def make_of(X_fit, name=name):
                    return contenders(problem, X_fit, 0)[name]

                rates[name] = best_rate(problem, make_of, 0, X, y)
            start = perf_counter()
            net = fitted(problem, make, X, y, rate=rates[name], seed=seed)
            seconds = perf_counter() - start
            module = net.net_.module_
            coding = isinstance(module[0], SparseCodingLayer)
            score = net.score(X_test, y_test)
            yield {
                "data": problem.name,
                "layer": name,
                "parameters": sum(p.numel() for p in module.parameters()),
                "learning rate": rates[name],
                "accuracy": score,
                "nonzeros": _nonzeros(module[0], X_test) if coding else np.nan,
                "s to fit": seconds,
                "one row, ms": _milliseconds(net, X_test),
            }
            print(problem.name, name, rates[name], f"{score:.4f}", flush=True)


def _nonzeros(layer, X):
    with torch.no_grad():
        return float((layer(torch.from_numpy(X[:2000])) != 0).sum(dim=1).float().mean())


def _milliseconds(net, X, n_rows=200):
    net.predict(X[:1])
    times = []
    for i in range(n_rows):
        start = perf_counter()
        net.predict(X[i : i + 1])
        times.append(perf_counter() - start)
    return 1e3 * float(np.median(times))


def digits():
    """Return the digits of scikit-learn in five folds."""
    X, y = load_digits(return_X_y=True)
    X = normalize(X).astype(np.float32)
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)
    splits = [(X[a], y[a], X[b], y[b]) for a, b in folds]
    return Problem("digits", splits, 32, 50, 32)


def mnist(width):
    """Return 10,000 images of MNIST, and all test images, for three seeds."""
    with np.load(data_folder() / "mnist.npz") as file:
        X, X_test = (
            normalize(file[name].reshape(-1, 784).astype(np.float32))
            for name in ("X_train", "X_test")
        )
        split = X[:10_000], file["y_train"][:10_000], X_test, file["y_test"]
    return Problem(f"MNIST, 10,000, K = {width}", [split] * 3, width, 15, 128)


def summary(rows):
    """Return means over splits, with the deviation of the accuracy."""
    groups = rows.groupby(["data", "layer"], sort=False)
    table = groups.mean().reset_index()
    table.insert(5, "±", groups["accuracy"].std().to_numpy())
    digits_of = {
        "learning rate": 4,
        "accuracy": 4,
        "±": 4,
        "nonzeros": 1,
        "s to fit": 1,
        "one row, ms": 2,
    }
    return table.round(digits_of).astype({"parameters": int})


def main():
    """Measure, print the table and store it."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        problems = [digits(), mnist(50), mnist(100)]
        rows = pd.DataFrame([row for p in problems for row in measured(p)])
    table = summary(rows)
    print(table.to_string(index=False))
    with replacing(_DOCS / "task_driven.csv") as beside:
        table.to_csv(beside, index=False)


if __name__ == "__main__":
    main()
