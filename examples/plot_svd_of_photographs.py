"""
Groups of 32 pixels, 10 directions each, on photographs
=======================================================

A colour image of 32 x 32 pixels is a row of 3,072 numbers. ``groups=32`` decomposes
each line of each colour separately, 96 groups, and keeps ten components of each: 960
numbers. This example compares its error and its cost with one decomposition of all
pixels that has as many outputs.

The images are cut from the two photographs that scikit-learn ships. With
``CIFAR10=FOLDER`` in the environment they are those of CIFAR-10 instead.
"""

# %%
# Images
# ------
# Rows have the layout of CIFAR-10: all red values, line by line, then green, then
# blue. So 32 neighbours are one line of one colour. Images of the right third of each
# photograph are held out.

import os
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_sample_images
from sklearn.feature_extraction.image import PatchExtractor

from sksparse_nn import TruncatedSVDReducer, load_cifar10


def cut(photographs, n_images):
    """Cut random images of 32 x 32 pixels out of photographs, one per row."""
    extractor = PatchExtractor(
        patch_size=(32, 32), max_patches=n_images // len(photographs), random_state=0
    )
    images = extractor.transform(photographs)
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


if "CIFAR10" in os.environ:
    train = load_cifar10(os.environ["CIFAR10"], subset="train").data[:20_000]
    X_fit, X_rest = train[:-2000], train[-2000:]
else:
    photographs = np.stack(load_sample_images().images)
    split = photographs.shape[2] * 2 // 3
    X_fit = cut(photographs[:, :, :split], 6000)
    X_rest = cut(photographs[:, :, split:], 1000)
X_fit, X_rest = (X.astype(np.float32) / 255 for X in (X_fit, X_rest))
print(X_fit.shape, X_rest.shape)

# %%
# Both keep 960 numbers
# ---------------------
# The error is the share of the squared norm that is lost on held-out images. A
# component in ``components_`` has 32 numbers for a group, and 3,072 for all pixels:
# ``transform`` multiplies by these, and they have to be stored.

reducers = {
    "groups of 32, 10 each": TruncatedSVDReducer(10, groups=32),
    "all pixels, 960": TruncatedSVDReducer(960),
    "all pixels, 100": TruncatedSVDReducer(100, random_state=0),
    "all pixels, 10": TruncatedSVDReducer(10, random_state=0),
}


def seconds(call):
    """Return how long a call takes, the better of two runs."""
    taken = []
    for _ in range(2):
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    return min(taken)


rows = {}
for name, reducer in reducers.items():
    fit = seconds(lambda reducer=reducer: reducer.fit(X_fit))
    transform = seconds(lambda reducer=reducer: reducer.transform(X_fit))
    rebuilt = reducer.inverse_transform(reducer.transform(X_rest))
    rows[name] = {
        "outputs": reducer.n_components_,
        "error": np.sum((X_rest - rebuilt) ** 2) / np.sum(X_rest**2),
        "fit s": fit,
        "transform s": transform,
        "multiply-adds": np.count_nonzero(reducer.components_),
    }
print(pd.DataFrame(rows).T.round(4).to_string())

# %%
# Ten components of a line are smooth along it, so the fine detail of each line is
# blurred separately. Groups do not use the similarity of neighbouring lines.

by_contrast = np.argsort(X_rest.std(axis=1))
shown = X_rest[
    by_contrast[np.linspace(len(X_rest) // 2, len(X_rest) - 1, 6, dtype=int)]
]
strips = {"original": shown}
for name in ("groups of 32, 10 each", "all pixels, 960", "all pixels, 100"):
    strips[name] = reducers[name].inverse_transform(reducers[name].transform(shown))

figure, axes = plt.subplots(len(strips), 1, figsize=(8, 5.6), layout="constrained")
for ax, (name, images) in zip(axes, strips.items(), strict=True):
    tiles = images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    tiles = np.pad(tiles, [(0, 0), (0, 0), (1, 1), (0, 0)], constant_values=1)
    ax.imshow(np.hstack(tiles).clip(0, 1))
    ax.set_ylabel(name, rotation=0, ha="right", va="center")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)

# %%
# Error against cost
# ------------------
# More components per group, or more of all pixels: at equal cost of ``transform``, the
# number of multiply-adds, groups lose less; at an equal number of outputs one
# decomposition loses less, as no other linear map can lose less than it on the rows
# that were fitted.


def measured(reducer):
    """Fit a reducer; return its number of outputs, cost and error."""
    rebuilt = reducer.fit(X_fit).inverse_transform(reducer.transform(X_rest))
    error = np.sum((X_rest - rebuilt) ** 2) / np.sum(X_rest**2)
    return reducer.n_components_, np.count_nonzero(reducer.components_), error


curves = {
    "all pixels": [
        measured(TruncatedSVDReducer(k, random_state=0)) for k in (5, 10, 20, 50, 100)
    ],
    "groups of 32": [
        measured(TruncatedSVDReducer(k, groups=32)) for k in (1, 2, 4, 6, 10, 16)
    ],
}
curves["all pixels"].append(
    (960, rows["all pixels, 960"]["multiply-adds"], rows["all pixels, 960"]["error"])
)
figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4.4), layout="constrained", sharey=True
)
styles = {"all pixels": ("#0072B2", "o"), "groups of 32": ("#D55E00", "s")}
for name, (colour, marker) in styles.items():
    outputs, cost, error = np.array(curves[name]).T
    left.plot(outputs, error, color=colour, marker=marker, label=name)
    right.plot(cost, error, color=colour, marker=marker)
left.set(xlabel="outputs", ylabel="share that is lost", xscale="log", yscale="log")
right.set(xlabel="multiply-adds of one transform", xscale="log")
for ax in (left, right):
    ax.grid(alpha=0.3)
left.legend()

# %%
# So groups pay off in cost: the fastest fit, and a ``transform`` with a hundredth of
# the multiply-adds. If the fewest outputs matter, as before a small network, decompose
# all features together.
