"""
CIFAR-10 by sparse features of patches, in few kilobytes
========================================================

A program to be run, not a page::

    python examples/cifar10_compressed.py FOLDER [--atoms 50 100 200 400]

Takes the features and the linear classifier of ``cifar10_patches.py`` and makes them
smaller: fewer atoms, pruned and quantized weights, features reduced by an SVD of each
region or by sparse codes. Bytes are those of all that a prediction needs, the atoms of
the patches included. Writes a table and a picture of accuracy against size to --output.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from cifar10_patches import Results, choose_decay, linear, make_coder, standardise
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from sksparse_nn import (
    CompressionDisplay,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    TruncatedSVDReducer,
    compression_report,
)
from sksparse_nn.datasets import load_cifar10

RECIPE = "published"
LAST = "sparse codes, 16 of 256 atoms, int8"
MEASURED = ["accuracy", "parameters", "nonzero", "bytes_disk", "multiply_adds"]


def pruned(net, amount):
    """Leave weights out and train the others on."""
    return NetPruner(FrozenEstimator(net), amount=amount, fine_tune_epochs=3)


def integers(fitted):
    """Keep weights as integers of 8 bits."""
    return NetQuantizer(FrozenEstimator(fitted), scheme="weight_only")


def smaller(net, n_features, decay, n_rows):
    """Name the ways to a smaller model of the same features."""
    coder = SparseDictionaryCoder(
        256, n_nonzero_coefs=16, max_epochs=3, n_jobs=-1, random_state=0
    )
    reduced = {
        "SVD by region, 90 % of the energy": TruncatedSVDReducer(
            0.9, groups=n_features // 8
        ),
        "SVD by groups of 32, 10 each": TruncatedSVDReducer(10, groups=32),
        "sparse codes, 16 of 256 atoms": coder,
    }
    return {f"{p} % pruned": pruned(net, p / 100) for p in (50, 80, 90)} | {
        name: make_pipeline(step, scaler_for(step), linear(RECIPE, decay, n_rows))
        for name, step in reduced.items()
    }


def scaler_for(transformer):
    """Scale what a transformer gives, which a coder gives sparse."""
    is_sparse = isinstance(transformer, SparseDictionaryCoder)
    return StandardScaler(with_mean=not is_sparse)


def measure(estimator, data, n_bytes, **key):
    """Return a row of the table."""
    report = compression_report({"": estimator}, *data)
    row = report.loc["", MEASURED].to_dict()
    return key | row | {"bytes_disk": row["bytes_disk"] + n_bytes}


def run(n_atoms, data, results, folder):
    """Encode, train, make smaller in each way, and write what that gave."""
    if results.find(atoms=n_atoms, way=LAST):
        return
    X, y, X_test, y_test = data
    coder = make_coder((RECIPE, "OMP-1", "soft threshold", n_atoms), X, folder)
    # The whitening goes into the atoms, and leaves each an offset.
    n_bytes = 4 * (coder.components_.size + n_atoms)
    Z, Z_test = coder.transform(X), coder.transform(X_test)
    standardise(Z_test, *standardise(Z))
    decay = choose_decay(RECIPE, Z, y)
    net = linear(RECIPE, decay, len(y)).fit(Z, y)
    ways = {"as it is": FrozenEstimator(net)} | smaller(net, Z.shape[1], decay, len(y))
    for name, estimator in tqdm(ways.items(), desc=f"{n_atoms} atoms"):
        estimator.fit(Z, y)
        for way, made in ((name, estimator), (f"{name}, int8", integers(estimator))):
            if made is not estimator:
                made.fit(Z, y)
            if not results.find(atoms=n_atoms, way=way):
                row = measure(made, (Z_test, y_test), n_bytes, atoms=n_atoms, way=way)
                results.add(**row)


def draw(results, folder):
    """Draw accuracy against bytes; only what nothing else beats is named."""
    mpl.use("Agg")
    table = pd.DataFrame(results.rows)
    table.index = [f"{row.atoms} atoms, {row.way}" for row in table.itertuples()]
    display = CompressionDisplay(table).plot(costs=["bytes_disk"])
    display.figure_.set_size_inches(8, 6)
    display.figure_.savefig(folder / "cifar10_compressed.png", dpi=120)


def main():
    """Compute what is missing, and print all."""
    parser = argparse.ArgumentParser(description="Small models of CIFAR-10.")
    parser.add_argument("cifar10", metavar="FOLDER", help="a layout of CIFAR-10")
    parser.add_argument("--atoms", type=int, nargs="+", default=[50, 100, 200, 400])
    parser.add_argument("--output", default="patches-output", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    results = Results(arguments.output / "cifar10_compressed.csv")
    data = [
        array
        for subset in ("train", "test")
        for array in load_cifar10(arguments.cifar10, subset=subset, return_X_y=True)
    ]
    for n_atoms in arguments.atoms:
        run(n_atoms, data, results, arguments.output)
    print(pd.DataFrame(results.rows).to_string())
    draw(results, arguments.output)


if __name__ == "__main__":
    main()
