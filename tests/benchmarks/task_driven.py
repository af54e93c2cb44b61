"""Dictionaries that are trained with the network, against the layers they replace.

Networks of one layer of K units and a linear one behind it, of which the learning rate
and the label smoothing are chosen on a fifth of the training samples. All have samples
of unit norm, a cosine schedule and as many epochs. Numbers are means over folds or
seeds.
"""

import warnings
from dataclasses import dataclass
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

from sksparse_nn._files import replacing
from sksparse_nn.modules import SparseCodingLayer
from tests.benchmarks._one_layer import LAYERS, SETTINGS, Size
from tests.benchmarks._problems import data_folder

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"


@dataclass(frozen=True)
class Problem:
    """What is learnt: splits of samples, and the size of networks."""

    name: str
    splits: list
    size: Size


def fitted(net, X, y):
    """Fit, briefly on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return net.fit(X, y)


def best_settings(make, size, X, y):
    """Choose settings on a fifth of the training samples."""
    parts = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    X_fit, X_held, y_fit, y_held = parts
    scores = [
        fitted(make(size, X_fit, 0, **settings), X_fit, y_fit).score(X_held, y_held)
        for settings in SETTINGS
    ]
    return SETTINGS[int(np.argmax(scores))]


def measured(problem):
    """Yield a row for each contender and split."""
    X, y, _, _ = problem.splits[0]
    for name, make in LAYERS.items():
        settings = best_settings(make, problem.size, X, y)
        for seed, split in enumerate(problem.splits):
            row = _row(make, problem.size, seed, settings, split)
            yield {"data": problem.name, "layer": name} | row
        print(problem.name, name, settings, row["accuracy"], flush=True)


def _row(make, size, seed, settings, split):
    X, y, X_test, y_test = split
    net = make(size, X, seed, **settings)
    start = perf_counter()
    fitted(net, X, y)
    return {
        "parameters": _n_parameters(net),
        "learning rate": settings["learning_rate"],
        "smoothing": settings["label_smoothing"],
        "accuracy": net.score(X_test, y_test),
        "nonzeros": _nonzeros(net, X_test),
        "s to fit": perf_counter() - start,
        "one row, ms": _milliseconds(net, X_test),
    }


def _n_parameters(net):
    if not hasattr(net, "net_"):
        return sum(weights.size for weights in net.coefs_ + net.intercepts_)
    own = sum(p.numel() for p in net.net_.module_.parameters())
    if net.coder is None or net.tune_coder:
        return own
    coder = net.coder_
    atoms = getattr(coder, "components_", getattr(coder, "random_weights_", None))
    return own + atoms.size


def _nonzeros(net, X):
    """Return the mean number of nonzeros of codes, where few are not zero."""
    codes = _codes_of(net, X[:2000])
    if codes is None:
        return np.nan
    count = (codes != 0).sum() / codes.shape[0]
    return count if count < codes.shape[1] else np.nan


def _codes_of(net, X):
    if getattr(net, "coder", None) is not None:
        return net.coder_.transform(X)
    layers = net.net_.module_.children() if hasattr(net, "net_") else []
    for layer in layers:
        if isinstance(layer, SparseCodingLayer):
            return layer(torch.from_numpy(X)).detach().numpy()
    return None


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
    return Problem("digits", splits, Size(32, 50, 32))


def mnist(width):
    """Return 10,000 images of MNIST, and all test images, for three seeds."""
    with np.load(data_folder() / "mnist.npz") as file:
        X, X_test = (
            normalize(file[name].reshape(-1, 784).astype(np.float32))
            for name in ("X_train", "X_test")
        )
        split = X[:10_000], file["y_train"][:10_000], X_test, file["y_test"]
    size = Size(width, 15, 128)
    return Problem(f"MNIST, 10,000, K = {width}", [split] * 3, size)


def summary(rows):
    """Return means over splits, with the deviation of the accuracy."""
    groups = rows.groupby(["data", "layer"], sort=False)
    table = groups.mean().reset_index()
    table.insert(6, "±", groups["accuracy"].std().to_numpy())
    digits_of = {
        "learning rate": 4,
        "smoothing": 2,
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
