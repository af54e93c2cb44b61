"""
Every way to a smaller network, tuned and measured on one data set
==================================================================

A program to run, not a page::

    python examples/compare_compression.py                        digits
    python examples/compare_compression.py --mnist FILE.npz       MNIST
    python examples/compare_compression.py --cifar10 FOLDER       CIFAR-10

It writes a table and a picture. It takes minutes to an hour; fitted models are stored,
and a second call resumes where the first one stopped.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import matplotlib as mpl
import numpy as np
import pandas as pd
from joblib import Memory
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedShuffleSplit,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import CosineAnnealingLR

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TruncatedSVDReducer,
    compression_report,
)
from sksparse_nn.datasets import load_cifar10
from sksparse_nn.inspection import CompressionDisplay

SEEDS = 3

# The same for every network, on three splits of at most this many training rows.
GRID = {"learning_rate": [5e-4, 2e-3, 1e-2], "dropout": [0.0, 0.2]}
ROWS_TO_TUNE_ON = 10_000


@dataclass(frozen=True)
class Data:
    """Training and test rows, and the settings that suit them."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    epochs: int
    alpha: float
    group: int


def digits():
    """Return the digits that scikit-learn ships, of 8 x 8 pixels."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.4, random_state=0, stratify=y
    )
    return Data(X, y, X_test, y_test, epochs=100, alpha=0.1, group=8)


def mnist(path):
    """Return MNIST from an .npz file of its arrays."""
    with np.load(path) as file:
        arrays = {name.lower(): file[name] for name in file}
    X, X_test = (
        arrays[name].reshape(len(arrays[name]), -1) / np.float32(255)
        for name in ("x_train", "x_test")
    )
    y, y_test = (arrays[name].astype(int) for name in ("y_train", "y_test"))
    return Data(X, y, X_test, y_test, epochs=15, alpha=0.3, group=32)


def cifar10(folder):
    """Return CIFAR-10, with pixels of about mean zero and deviation one."""
    parts = (
        load_cifar10(folder, subset=subset, return_X_y=True)
        for subset in ("train", "test")
    )
    (X, y), (X_test, y_test) = parts
    X, X_test = (
        (pixels / np.float32(255) - np.float32(0.5)) / np.float32(0.25)
        for pixels in (X, X_test)
    )
    return Data(X, y, X_test, y_test, epochs=15, alpha=2.0, group=32)


def networks(data, seed):
    """Make the networks to tune: large, small, and after a transformer."""

    def net(*sizes):
        # The rate falls to zero: otherwise a compressed model that is fine-tuned would
        # gain from the longer training alone.
        falling = LRScheduler(CosineAnnealingLR, T_max=data.epochs)
        return SparseNetClassifier(
            sizes,
            max_epochs=data.epochs,
            batch_size=256,
            verbose=len(data.y) > ROWS_TO_TUNE_ON,
            callbacks=[("learning_rate", falling)],
            random_state=seed,
        )

    def atoms(n_atoms):
        coder = SparseDictionaryCoder(n_atoms, alpha=0.1, random_state=seed)
        return make_pipeline(Normalizer(), net().set_params(coder=coder))

    def behind(step, *sizes):
        return make_pipeline(step, StandardScaler(with_mean=False), net(*sizes))

    n_directions, n_atoms = (24, 64) if data.X.shape[1] < 100 else (50, 128)
    coder = SparseDictionaryCoder(
        n_atoms, algorithm="lasso", alpha=data.alpha, random_state=seed
    )
    svd = TruncatedSVDReducer(n_directions, center=True, random_state=seed)
    by_groups = TruncatedSVDReducer(
        n_components=10 if data.group > 10 else 3, groups=data.group, center=True
    )
    large = net(512, 512)
    small = {str(size): net(size) for size in (128, 64, 32, 16, 8)}
    trained = {f"{size} trained atoms": atoms(size) for size in (128, 64, 32)}
    return {
        "512, 512": large,
        "SVD, 128": behind(svd, 128),
        "SVD by groups, 128": behind(by_groups, 128),
        "codes, 128": behind(coder, 128),
        **trained,
        **small,
    }


def pruned(amount, structure="weight", **settings):
    """Return a function that wraps an estimator in a pruner."""

    def make(estimator, epochs):
        return NetPruner(
            estimator,
            amount=amount,
            structure=structure,
            fine_tune_epochs=epochs,
            **settings,
        )

    return make


# The smallest weights or neurons go, in steps, and the others stay as they are.
PLAIN = {"criterion": "magnitude", "n_steps": 3, "refit": False}


def int8(estimator, epochs):
    """Make a quantizer, which trains nothing."""
    return NetQuantizer(estimator)


def four_bits(estimator, epochs):
    """Make a quantizer that stores weights in four bits."""
    return NetQuantizer(estimator, scheme="weight_only", n_bits=4)


def factorized(estimator, epochs):
    """Make a factorizer of an estimator."""
    return NetFactorizer(estimator, rank=16, fine_tune_epochs=epochs)


# Each compressed model: the model it starts from, and the compressor.
COMPRESSED = {
    "90 % of weights pruned": ("512, 512", pruned(0.9, **PLAIN)),
    "98 % of weights pruned": ("512, 512", pruned(0.98, **PLAIN)),
    "75 % of neurons pruned": ("512, 512", pruned(0.75, "neuron", **PLAIN)),
    "95 % of neurons pruned": ("512, 512", pruned(0.95, "neuron", **PLAIN)),
    "98 % of weights pruned, refit": ("512, 512", pruned(0.98)),
    "95 % of neurons pruned, refit": ("512, 512", pruned(0.95, "neuron")),
    "int8": ("512, 512", int8),
    "4 bits": ("512, 512", four_bits),
    "rank 16": ("512, 512", factorized),
    "rank 16, int8": ("rank 16", int8),
    "90 % of weights pruned, int8": ("90 % of weights pruned", int8),
    "98 % of weights pruned, int8": ("98 % of weights pruned", int8),
    "75 % of neurons pruned, int8": ("75 % of neurons pruned", int8),
    "95 % of neurons pruned, int8": ("95 % of neurons pruned", int8),
    "98 % of weights, refit, int8": ("98 % of weights pruned, refit", int8),
    "95 % of neurons, refit, int8": ("95 % of neurons pruned, refit", int8),
    "SVD, int8": ("SVD, 128", int8),
    "SVD, pruned": ("SVD, 128", pruned(0.75, **PLAIN)),
    "SVD, pruned, int8": ("SVD, pruned", int8),
    "SVD by groups, int8": ("SVD by groups, 128", int8),
    "codes, int8": ("codes, 128", int8),
    "codes, pruned": ("codes, 128", pruned(0.75, **PLAIN)),
    "codes, pruned, int8": ("codes, pruned", int8),
    "128 trained atoms, int8": ("128 trained atoms", int8),
    "64 trained atoms, int8": ("64 trained atoms", int8),
    "32 trained atoms, int8": ("32 trained atoms", int8),
    "128, int8": ("128", int8),
    "64, int8": ("64", int8),
    "32, int8": ("32", int8),
    "16, int8": ("16", int8),
    "8, int8": ("8", int8),
}


class Comparison:
    """Fits on one data set, each done once and stored on disk."""

    def __init__(self, name, data, cache):
        self.name, self.data = name, data
        memory = Memory(cache, verbose=0)
        self.tuned = memory.cache(self._tuned, ignore=["self"])
        self.fitted = memory.cache(self._fitted, ignore=["self"])

    def _tuned(self, data_name, name):
        """Return the parameters of the grid that cross-validation finds best."""
        estimator = networks(self.data, 0)[name]
        prefix = "" if hasattr(estimator, "learning_rate") else "sparsenetclassifier__"
        estimator.set_params(**{f"{prefix}verbose": False})
        n_rows = min(ROWS_TO_TUNE_ON, len(self.data.y))
        splits = StratifiedShuffleSplit(
            3, train_size=2 * n_rows // 3, test_size=n_rows // 3, random_state=0
        )
        grid = {prefix + key: values for key, values in GRID.items()}
        search = GridSearchCV(estimator, grid, cv=splits, refit=False, verbose=3)
        return search.fit(self.data.X, self.data.y).best_params_

    def _fitted(self, data_name, name, seed):
        """Return a fitted estimator and the seconds that all its fits took."""
        if name in COMPRESSED:
            base, compressor = COMPRESSED[name]
            former, seconds = self.fitted(data_name, base, seed)
            estimator = compressor(FrozenEstimator(former), self.data.epochs // 3)
        else:
            estimator, seconds = networks(self.data, seed)[name], 0.0
            estimator = clone(estimator).set_params(**self.tuned(data_name, name))
        start = perf_counter()
        estimator.fit(self.data.X, self.data.y)
        return estimator, seconds + perf_counter() - start

    def report(self):
        """Fit and measure all models; return means and deviations over the seeds."""
        names = [*networks(self.data, 0), *COMPRESSED]
        reports = []
        for seed in range(SEEDS):
            estimators, seconds = {}, []
            for name in names:
                print(f"seed {seed}: {name}", flush=True)
                estimators[name], taken = self.fitted(self.name, name, seed)
                seconds.append(taken)
                print(f"seed {seed}: {name}, {taken:.1f} s", flush=True)
            report = compression_report(estimators, self.data.X_test, self.data.y_test)
            reports.append(report.assign(fit_time=seconds))
        groups = pd.concat(reports).groupby(level=0)
        table = groups.mean().loc[names]
        table.insert(1, "accuracy_spread", groups.accuracy.std().loc[names])
        return table


def readable(table):
    """Return the table for publication: rounded, in kilobytes and milliseconds."""

    def milliseconds(name):
        spreads = table[f"{name}_spread"]
        return [
            f"{1e3 * value:.3g} ± {1e3 * spread:.1g}"
            for value, spread in zip(table[name], spreads, strict=True)
        ]

    accuracy = [
        f"{value:.4f} ± {spread:.4f}"
        for value, spread in zip(table.accuracy, table.accuracy_spread, strict=True)
    ]
    columns = {
        "accuracy": accuracy,
        "parameters": table.parameters.round().astype(int),
        "nonzero": table.nonzero.round().astype(int),
        "kB in memory": (table.bytes_memory / 1e3).round(1),
        "kB on disk": (table.bytes_disk / 1e3).round(1),
        "times smaller": table.smaller.round(1),
        "multiply-adds": table.multiply_adds.round().astype(int),
        "ms for 1 row": milliseconds("latency_1"),
        "ms for 256 rows": milliseconds("latency_256"),
        "s to fit": table.fit_time.round(1),
    }
    return pd.DataFrame(columns, index=table.index.rename("model"))


def best_at(table, factor):
    """Describe the most accurate models that are this many times smaller on disk."""
    small = table[table.smaller >= factor].sort_values("accuracy", ascending=False)
    best = [f"{name} ({row.accuracy:.3f})" for name, row in small[:3].iterrows()]
    return f"{factor} times smaller: {', '.join(best) or 'nothing'}"


def chosen(arguments):
    """Return the name of the data and the data."""
    if arguments.mnist:
        return "mnist", mnist(arguments.mnist)
    if arguments.cifar10:
        return "cifar10", cifar10(arguments.cifar10)
    return "digits", digits()


def main():
    """Compare, and print and write the results."""
    parser = argparse.ArgumentParser(description="Compare ways to smaller networks.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--mnist", metavar="FILE", help="an .npz of MNIST's arrays")
    source.add_argument("--cifar10", metavar="FOLDER", help="a layout of CIFAR-10")
    parser.add_argument("--output", default="compare-output", type=Path)
    arguments = parser.parse_args()
    name, data = chosen(arguments)
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = Comparison(name, data, arguments.output / "fitted").report()
    published = readable(table)
    published.to_csv(arguments.output / f"compression_{name}.csv")
    print(published.to_string())
    for factor in (10, 50):
        print(best_at(table, factor))
    mpl.use("Agg")
    display = CompressionDisplay(table).plot()
    display.figure_.savefig(arguments.output / f"compression_{name}.png", dpi=120)


if __name__ == "__main__":
    main()
