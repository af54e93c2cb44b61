"""One layer of 300 units on all of MNIST, trained on shifted images, and a linear one.

A dictionary that is trained with the labels, and dense layers. The learning rate, the
dropout and the noise of each were chosen on the last 10,000 training images, in shorter
trainings for the dictionary; here all 60,000 are trained on. An epoch moves each image
by up to one pixel in each direction. The learning rate falls from epoch to epoch.
"""

import warnings
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from sksparse_nn._files import replacing
from tests.benchmarks._one_layer import LAYERS, Size
from tests.benchmarks._problems import data_folder

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
_N_EPOCHS = 25
_SIZE = Size(300, 1, 128)
_SMOOTHING = {"label_smoothing": 0.1}
CONTENDERS = {
    "dictionary, trained": (
        partial(LAYERS["dictionary, trained"], dropout=0.1, **_SMOOTHING),
        0.01,
    ),
    "dense": (partial(LAYERS["dense"], **_SMOOTHING), 0.001),
    "dense, dropout": (partial(LAYERS["dense, dropout"], **_SMOOTHING), 0.003),
    "dense, noise of 0.5": (
        partial(LAYERS["dense, noise of 0.5"], **_SMOOTHING),
        0.003,
    ),
}


def unit_rows(images):
    """Return images as samples of unit norm."""
    return normalize(images.reshape(len(images), -1).astype(np.float32))


def shifted(images, rng):
    """Return the images, each moved by up to one pixel in each direction."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    steps = rng.integers(0, 3, (len(images), 2))
    moved = np.empty_like(images)
    for down in range(3):
        for right in range(3):
            which = (steps == (down, right)).all(axis=1)
            moved[which] = padded[which, down : down + 28, right : right + 28]
    return moved


def trained(make, rate, images, y):
    """Train for all epochs, each on images moved anew."""
    rng = np.random.default_rng(0)
    net = make(_SIZE, unit_rows(images[:5000]), 0, learning_rate=rate)
    net.set_params(scheduler=None)
    for epoch in range(_N_EPOCHS):
        share = (1 + np.cos(np.pi * (epoch + 0.5) / _N_EPOCHS)) / 2
        net.set_params(learning_rate=share * rate)
        X = unit_rows(shifted(images, rng))
        net = net.partial_fit(X, y) if epoch else net.fit(X, y)
        print(f"{epoch + 1} of {_N_EPOCHS}", end="\r", flush=True)
    return net


def main():
    """Measure, print the table and store it."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    with np.load(data_folder() / "mnist.npz") as file:
        images = file["X_train"].reshape(-1, 28, 28)
        y, y_test = file["y_train"], file["y_test"]
        X_test = unit_rows(file["X_test"])
    rows = []
    with threadpool_limits(1):
        for name, (make, rate) in CONTENDERS.items():
            start = perf_counter()
            net = trained(make, rate, images, y)
            module = net.net_.module_
            row = {
                "layer": name,
                "parameters": sum(p.numel() for p in module.parameters()),
                "learning rate": rate,
                "errors, %": round(100 * (1 - net.score(X_test, y_test)), 2),
                "s to fit": round(perf_counter() - start),
            }
            print(row, flush=True)
            rows.append(row)
    with replacing(_DOCS / "mnist.csv") as beside:
        pd.DataFrame(rows).to_csv(beside, index=False)


if __name__ == "__main__":
    main()
