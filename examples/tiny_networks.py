"""
CIFAR-10 by small convolutional networks, in few kilobytes
==========================================================

A program to run, not a page::

    python examples/tiny_networks.py FOLDER [--epochs 200] [--widths 16 12 8 6 4]

It trains ResNet-8, the network of MLPerf Tiny, in several widths, and makes the widest
one smaller in the ways of this package: fewer channels, factors of low rank, integers
of 8 and 4 bits, and combinations. Smaller ones are trained for two epochs afterwards.
It writes a table, and a picture of accuracy against size, to --output, keeps each epoch
and each network there, and goes on where it was stopped.
"""

import argparse
import pickle
from pathlib import Path
from time import perf_counter

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from cifar10_patches import Results
from sklearn.frozen import FrozenEstimator

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
)
from sksparse_nn.datasets import load_cifar10

# Accuracy and bytes of the reference of MLPerf Tiny, in integers of 8 bits, and the
# accuracy that it asks for: C. Banbury et al., "MLPerf Tiny Benchmark", NeurIPS 2021.
REFERENCE, TARGET = (0.85, 96_000), 0.85

# Accuracies in the picture, in percent; networks below are ruined.
SHOWN = 55, 90

RATE, WARM_UP = 0.1, 0.1

# Ways that narrower networks are made smaller in, beside integers.
OF_NARROWER = ["as it is", "25% of the channels removed"]

# Training after a network was made smaller. The rate is then constant, 0.3 of this one,
# so weights are averaged over the last steps.
FINE_TUNED = {"learning_rate": 0.05, "weight_averaging": 0.99}
N_FINE_TUNED = 2

MEASURED = ["accuracy", "parameters", "bytes_memory", "bytes_zipped", "multiply_adds"]


def make_network(width, seed):
    """Make a ResNet-8, to be trained epoch by epoch."""
    return SparseNetClassifier(
        module="resnet8",
        module_params={"width": width},
        image_shape=(3, 32, 32),
        augment=("mirror", "shift"),
        optimizer="sgd",
        weight_decay=2e-4,
        batch_size=128,
        mixed_precision=True,
        device="cuda" if torch.cuda.is_available() else "cpu",
        random_state=seed,
    )


def rate_of(epoch, epochs):
    """Return the learning rate: it rises for a tenth of the epochs, then falls to 0."""
    start = max(WARM_UP * epochs, 1)
    if epoch < start:
        return RATE * (epoch + 1) / (start + 1)
    share = (epoch + 0.5 - start) / (epochs - start)
    return RATE * (1 + np.cos(np.pi * share)) / 2


def store(thing, path):
    """Write a pickle, all of it or nothing."""
    beside = path.with_suffix(".new")
    beside.write_bytes(pickle.dumps(thing))
    beside.replace(path)


def trained(width, data, options):
    """Return a trained network, whose epochs are stored on disk."""
    path = options.output / f"width {width}, seed {options.seed}.pkl"
    done, network = 0, make_network(width, options.seed)
    if path.exists():
        done, network = pickle.loads(path.read_bytes())
    for epoch in range(done, options.epochs):
        start = perf_counter()
        network.set_params(learning_rate=rate_of(epoch, options.epochs))
        network.partial_fit(*data, classes=np.arange(10))
        store((epoch + 1, network), path)
        taken = perf_counter() - start
        left = (options.epochs - epoch - 1) * taken
        print(f"width {width}, epoch {epoch + 1}: {taken:.0f} s, {left:.0f} s left")
    return network


def smaller(network):
    """List the ways to make a network smaller, by name."""
    frozen = FrozenEstimator(network.set_params(**FINE_TUNED))
    later = {"fine_tune_epochs": N_FINE_TUNED}
    ways = {"as it is": frozen}
    for amount in (0.25, 0.5, 0.7, 0.85):
        channels = {"amount": amount, "structure": "channel"}
        name = f"{amount:.0%} of the channels removed"
        ways[f"{name}, no epochs"] = NetPruner(frozen, fine_tune_epochs=0, **channels)
        ways[name] = NetPruner(frozen, **channels, **later)
    for method in ("svd", "tucker2"):
        for amount in (0.5, 0.75):
            name = f"{amount:.0%} of the weights removed, {method}"
            ways[name] = NetFactorizer(frozen, method=method, amount=amount, **later)
    distilled = later | {"distill": True}
    for amount in (0.25, 0.5):
        channels = {"amount": amount, "structure": "channel"}
        name = f"{amount:.0%} of the channels removed, distilled"
        ways[name] = NetPruner(frozen, **channels, **distilled)
    for amount in (0.5, 0.75):
        name = f"{amount:.0%} of the weights removed, tucker2, distilled"
        factors = {"method": "tucker2", "amount": amount}
        ways[name] = NetFactorizer(frozen, **factors, **distilled)
    both = NetPruner(frozen, amount=0.3, structure="channel", **later)
    name = "30% of the channels, then half of the weights, tucker2"
    ways[name] = NetFactorizer(both, method="tucker2", amount=0.5, **later)
    return ways


def in_integers(fitted):
    """List a network and its forms in integers, by name."""
    frozen = FrozenEstimator(fitted)
    return {
        "float": fitted,
        "int8": NetQuantizer(frozen, scheme="static"),
        "4 bits": NetQuantizer(frozen, scheme="weight_only", n_bits=4),
    }


def measure(estimator, test, **key):
    """Return a row of the table."""
    report = compression_report({"": estimator}, *test)
    return key | report.loc["", MEASURED].to_dict()


def compare(width, ways, train, test, results):
    """Make a network smaller in each way, and write what is not yet in the table."""
    for way, estimator in ways.items():
        if results.find(width=width, way=way, form="4 bits"):
            continue
        start = perf_counter()
        estimator.fit(*train)
        for form, made in in_integers(estimator).items():
            if form != "float":
                made.fit(*train)
            if not results.find(width=width, way=way, form=form):
                results.add(**measure(made, test, width=width, way=way, form=form))
        print(f"width {width}, {way}: {perf_counter() - start:.0f} s")


def table(results):
    """Return accuracy and kilobytes by way and form."""
    rows = pd.DataFrame(results.rows)
    kilobytes = (rows.bytes_zipped / 1000).map("{:.1f}".format)
    rows["cell"] = (100 * rows.accuracy).map("{:.2f}, ".format) + kilobytes + " kB"
    rows["network"] = "width " + rows.width.astype(str) + ", " + rows.way
    cells = rows.pivot_table("cell", "network", "form", "first")
    return cells.loc[rows.network.unique(), rows.form.unique()]


def draw(results, folder):
    """Draw accuracy against size, with the reference of MLPerf Tiny."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = pd.DataFrame(results.rows)
    rows["plain"] = rows.way == "as it is"
    figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for number, (form, of_form) in enumerate(rows.groupby("form", sort=False)):
        for plain, part in of_form.groupby("plain"):
            part = part.sort_values("bytes_zipped")
            name = "ResNet-8 of each width" if plain else "made smaller"
            ax.semilogx(
                part.bytes_zipped / 1000,
                100 * part.accuracy,
                "o-" if plain else "x",
                color=f"C{number}",
                label=f"{name}, {form}",
            )
    accuracy, n_bytes = REFERENCE
    ax.plot(n_bytes / 1000, 100 * accuracy, "k*", label="MLPerf Tiny, int8")
    ax.axhline(100 * TARGET, color="k", linewidth=0.8, linestyle=":")
    ax.set_xticks([5, 10, 20, 50, 100, 200, 300])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    ax.set_ylim(*SHOWN)
    ax.set(xlabel="kilobytes, as a compressed pickle", ylabel="test accuracy, %")
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    figure.savefig(folder / "tiny_networks.png", dpi=100)
    plt.close(figure)


def run(options, train, test, results):
    """Compute what is missing in the table, width by width."""
    for i, width in enumerate(options.widths):
        network = trained(width, train, options)
        ways = smaller(network)
        if i:
            ways = {way: ways[way] for way in OF_NARROWER}
        compare(width, ways, train, test, results)
        print(table(results).to_string())
        draw(results, options.output)


def read_options(arguments=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Small networks for CIFAR-10.")
    parser.add_argument("cifar10", metavar="FOLDER", help="a layout of CIFAR-10")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 12, 8, 6, 4])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="tiny-output", type=Path)
    return parser.parse_args(arguments)


def main():
    """Compute the missing results, and print all."""
    options = read_options()
    options.output.mkdir(parents=True, exist_ok=True)
    results = Results(options.output / "tiny_networks.csv")
    X, y = load_cifar10(options.cifar10, subset="train", return_X_y=True)
    train = X[: options.images], y[: options.images]
    test = load_cifar10(options.cifar10, subset="test", return_X_y=True)
    run(options, train, test, results)


if __name__ == "__main__":
    main()
