"""
CIFAR-10 by sparse features of patches, in few kilobytes
========================================================

A program to run, not a page::

    python examples/cifar10_compressed.py FOLDER [--atoms 25 50 100 200 400]

It takes the features and the linear classifier of ``cifar10_patches.py`` and makes them
smaller: fewer atoms, stored as 8-bit integers, pruned and quantized weights, features
reduced by an SVD per region or by sparse codes. Bytes count everything that a
prediction needs, including the atoms of the patches and the scales of the features. It
writes a table and a picture of accuracy against size to --output.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from cifar10_patches import (
    Results,
    choose_decay,
    encoded,
    linear,
    make_coder,
    standardise,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from sksparse_nn import (
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


def with_small_atoms(coder):
    """Store atoms, with the whitening folded in, as 8-bit integers and a scale each.

    Returns
    -------
    n_bytes : int
        Size of the atoms, with the constant subtracted from the products of each.
    """
    atoms = coder.components_
    folded = atoms @ coder.whitening_ / np.linalg.norm(atoms, axis=1, keepdims=True)
    scales = np.abs(folded).max(axis=1, keepdims=True) / 127
    folded = np.round(folded / scales) * scales
    small = np.linalg.solve(coder.whitening_, folded.T).T
    coder.components_ = small.astype(atoms.dtype)
    return atoms.size + 4 * (scales.size + len(atoms))


def pruned(net, amount):
    """Prune weights and fine-tune the others."""
    return NetPruner(
        FrozenEstimator(net),
        amount=amount,
        criterion="magnitude",
        refit=False,
        fine_tune_epochs=3,
    )


def integers(fitted):
    """Store weights as 8-bit integers."""
    return NetQuantizer(FrozenEstimator(fitted), scheme="weight_only")


def smaller(net, n_features, decay, n_rows):
    """Make smaller models of the same features, by name."""
    coder = SparseDictionaryCoder(
        256,
        algorithm="omp",
        n_nonzero_coefs=16,
        max_epochs=3,
        n_jobs=-1,
        random_state=0,
        verbose=1,
    )
    reduced = {
        "SVD by region and sign, 90 % of the energy": TruncatedSVDReducer(
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
    """Make a scaler for the output of a transformer, which may be sparse."""
    is_sparse = isinstance(transformer, SparseDictionaryCoder)
    return StandardScaler(with_mean=not is_sparse)


def measure(estimator, data, n_bytes, **key):
    """Return a row of the table."""
    report = compression_report({"": estimator}, *data)
    row = report.loc["", MEASURED].to_dict()
    return key | row | {"bytes_disk": row["bytes_disk"] + n_bytes}


def run(n_atoms, data, results, folder):
    """Encode, train, make smaller in each way, and write the results."""
    if results.find(atoms=n_atoms, way=LAST):
        return
    X, y, X_test, y_test = data
    coder = make_coder((RECIPE, "OMP-1", "soft threshold", n_atoms), X, folder)
    n_bytes = with_small_atoms(coder)
    Z, Z_test = encoded(coder, X), encoded(coder, X_test)
    n_bytes += 4 * Z.shape[1]  # a scale each; means go into the offsets of the network
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


def table(results):
    """Return accuracy and size by way and number of atoms."""
    rows = pd.DataFrame(results.rows)
    kilobytes = (rows.bytes_disk / 1000).map("{:,.0f}".format)
    cell = (100 * rows.accuracy).map("{:.1f}, ".format) + kilobytes + " kB"
    cells = rows.assign(cell=cell).pivot_table("cell", "way", "atoms", "first")
    return cells.loc[rows.way.unique()].rename_axis(columns=None)


def draw(results, folder):
    """Draw accuracy against size: one line per way, over the numbers of atoms."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for way, line in pd.DataFrame(results.rows).groupby("way", sort=False):
        if way == "as it is" or way.endswith("int8"):
            line = line.sort_values("atoms")
            style = "o--" if "atoms" in way or "SVD" in way else "o-"
            ax.semilogx(line.bytes_disk / 1000, 100 * line.accuracy, style, label=way)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(xlabel="kilobytes", ylabel="test accuracy, %")
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    figure.savefig(folder / "cifar10_compressed.png", dpi=100)
    plt.close(figure)


def main():
    """Compute the missing results, and print all."""
    parser = argparse.ArgumentParser(description="Small models of CIFAR-10.")
    parser.add_argument("cifar10", metavar="FOLDER", help="a layout of CIFAR-10")
    parser.add_argument("--atoms", type=int, nargs="+", default=[25, 50, 100, 200, 400])
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
    print(table(results).to_string())
    table(results).to_csv(arguments.output / "cifar10_compressed_table.csv")
    draw(results, arguments.output)


if __name__ == "__main__":
    main()
