"""
CIFAR-10 by atoms of patches that are trained with the labels
=============================================================

A program to run, not a page::

    python examples/cifar10_trained.py FOLDER [--atoms 400 200 100 50 25] [--epochs 10]

One layer of patches and a linear one behind it are trained together on mirrored and
shifted images: from atoms that were learnt without labels, and from random ones. The
largest number of atoms is trained with few labels too. Every number is written to
--output as soon as it is known, and never computed twice.
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from cifar10_patches import FOR_ALL_LABELS, LABELS, Results, few_labels
from sklearn.frozen import FrozenEstimator

from sksparse_nn import (
    ImagePatchCoder,
    NetQuantizer,
    SparseNetClassifier,
    compression_report,
)
from sksparse_nn.datasets import load_cifar10

IMAGES, PATCH = (3, 32, 32), 6
CODER = {
    "image_shape": IMAGES,
    "patch_size": PATCH,
    "pooled_shape": 3,
    "n_jobs": -1,
    "random_state": 0,
}
STARTS = "atoms", "random"
INTEGERS = {"int8": {}, "4 bits": {"n_bits": 4, "scheme": "weight_only"}}

# Small mini-batches make many steps; where labels are few, at least the last number.
BATCH, FEWEST_STEPS = 32, 2000


def make_coder(start, n_atoms, X):
    """Return a fitted coder of atoms, or of random filters of their size."""
    coder = ImagePatchCoder(n_atoms, **CODER)
    if start == "random":
        shape = n_atoms, IMAGES[0] * PATCH**2
        filters = np.random.default_rng(0).standard_normal(shape)
        coder.set_params(learner=None, init=filters.astype(np.float32))
    return coder.fit(X)


def make_network(coder, n_samples, epochs):
    """Return a network to be trained with a coder."""
    n_batches = -(-n_samples // BATCH)
    return SparseNetClassifier(
        (),
        coder=FrozenEstimator(coder),
        tune_coder="all",
        image_shape=IMAGES,
        augment=("mirror", "shift"),
        learning_rate=0.005,
        scheduler="one_cycle",
        batch_size=BATCH,
        max_epochs=max(epochs, FEWEST_STEPS // n_batches),
        random_state=0,
        verbose=1,
    )


def measure(key, data, results):
    """Train one network, and write its accuracy and its size, in integers too."""
    start, n_atoms, n_labels, epochs = key.values()
    if results.find(**key):
        return
    X, y, X_test, y_test = data
    rows = few_labels(y, n_labels)
    network = make_network(make_coder(start, n_atoms, X), len(y[rows]), epochs)
    begin = perf_counter()
    network.fit(X[rows], y[rows])
    seconds = perf_counter() - begin
    models = {"float": network}
    for form, parameters in INTEGERS.items():
        models[form] = NetQuantizer(FrozenEstimator(network), **parameters).fit(X[rows])
    report = compression_report(models, X_test, y_test)
    accuracies, sizes = 100 * report.accuracy, report.bytes_zipped / 1000
    found = {f"accuracy, {form}": round(accuracies[form], 2) for form in models}
    found |= {f"kB, {form}": round(sizes[form], 1) for form in models}
    results.add(**key, **found, seconds=round(seconds))


def main():
    """Compute the missing results, and print all."""
    parser = argparse.ArgumentParser(description="Trained patches of CIFAR-10.")
    parser.add_argument("cifar10", metavar="FOLDER", help="a layout of CIFAR-10")
    parser.add_argument("--atoms", type=int, nargs="+", default=[400, 200, 100, 50, 25])
    parser.add_argument("--labels", type=int, nargs="*", default=LABELS)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=STARTS)
    parser.add_argument("--output", default="trained-output", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    results = Results(arguments.output / "cifar10_trained.csv")
    data = [
        array
        for subset in ("train", "test")
        for array in load_cifar10(arguments.cifar10, subset=subset, return_X_y=True)
    ]
    for start in arguments.starts:
        cells = [(n_atoms, FOR_ALL_LABELS) for n_atoms in arguments.atoms]
        few = sorted(set(arguments.labels) - {FOR_ALL_LABELS})
        cells += [(max(arguments.atoms), n_labels) for n_labels in few]
        for n_atoms, n_labels in cells:
            key = {"start": start, "atoms": n_atoms, "labels": n_labels}
            measure(key | {"epochs": arguments.epochs}, data, results)
    print(pd.DataFrame(results.rows).to_string(index=False))


if __name__ == "__main__":
    main()
