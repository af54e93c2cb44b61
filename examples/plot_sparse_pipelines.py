"""
Sparse representation ahead of a network
========================================

Five pipelines classify the same images. Each ends in the same small network; they
differ in its input:

- the raw pixels;
- truncated SVD by groups of 32 pixels, 10 components per group;
- one truncated SVD of all pixels;
- sparse codes: each image written with a few atoms of a learnt dictionary, chosen by a
  pursuit;
- the same by lasso, whose codes change less when the image changes a little.

The sparsity of the codes is searched on a grid, all pipelines are cross-validated, and
one table has the cost of each. Run from a terminal, the script uses the digits that
scikit-learn ships, or CIFAR-10 with ``--cifar10 FOLDER``; with ``--output FOLDER`` it
writes its pictures and the table there. It prints one line per fold, and on CIFAR-10
one per epoch.
"""

# %%
# The data
# --------
# Pixels between 0 and 1, in float32, the type that networks train in.

import argparse
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from sksparse_nn import (
    SparseDictionaryCoder,
    SparseNetClassifier,
    TruncatedSVDReducer,
    load_cifar10,
)

parser = argparse.ArgumentParser(description="Five pipelines on the same images.")
parser.add_argument("--cifar10", metavar="FOLDER", help="CIFAR-10, in any layout")
parser.add_argument("--output", metavar="FOLDER", help="where pictures go")
options = parser.parse_args()

started = perf_counter()


def say(message):
    """Show progress."""
    print(f"[{perf_counter() - started:6.1f} s] {message}", flush=True)


if options.cifar10:
    bunch = load_cifar10(options.cifar10)
    image_shape, scale, n_test = (3, 32, 32), 255, len(bunch.data) - bunch.n_train
    n_directions, n_atoms, grid, max_epochs = 100, 256, [2, 5, 10, 20], 8
else:
    bunch = load_digits()
    image_shape, scale, n_test = (1, 8, 8), 16, 300
    n_directions, n_atoms, grid, max_epochs = 20, 128, [1, 2, 4, 8, 16], 50

X_train, X_test, y_train, y_test = train_test_split(
    bunch.data.astype(np.float32) / scale, bunch.target, test_size=n_test, shuffle=False
)
say(f"{len(X_train)} images of {X_train.shape[1]} values, and {n_test} to test on")

# %%
# The pipelines
# -------------
# The network comes last and is the same everywhere. Columns are brought to one scale
# before it: :class:`~sklearn.preprocessing.MaxAbsScaler` keeps sparse codes sparse.


def network():
    """Make the network that all pipelines end in."""
    return SparseNetClassifier(
        (128,), max_epochs=max_epochs, random_state=0, verbose=bool(options.cifar10)
    )


def coder(**settings):
    """Make a coder that learns its dictionary in four passes."""
    return SparseDictionaryCoder(
        n_atoms,
        max_epochs=4,
        batch_size=1024,
        n_jobs=-1,
        random_state=0,
        verbose=bool(options.cifar10),
        **settings,
    )


pipelines = {
    "raw pixels": make_pipeline(StandardScaler(), network()),
    "SVD, groups of 32": make_pipeline(
        TruncatedSVDReducer(10, groups=32, n_jobs=-1), StandardScaler(), network()
    ),
    "SVD": make_pipeline(
        TruncatedSVDReducer(n_directions, n_jobs=-1), StandardScaler(), network()
    ),
    "sparse codes": make_pipeline(coder(algorithm="omp"), MaxAbsScaler(), network()),
    "sparse codes, lasso": make_pipeline(
        coder(algorithm="lasso"), MaxAbsScaler(), network()
    ),
}

# %%
# How sparse?
# -----------
# The number of atoms per image is a parameter like any other.

name = "sparsedictionarycoder__n_nonzero_coefs"
search = GridSearchCV(
    pipelines["sparse codes"], {name: grid}, cv=3, refit=False, verbose=3
)
say(f"searching {len(grid)} sparsities, 3 folds each")
search.fit(X_train, y_train)
pipelines["sparse codes"].set_params(**search.best_params_)
for k, score in zip(grid, search.cv_results_["mean_test_score"], strict=True):
    say(f"  {k:3d} atoms per image: accuracy {score:.3f}")

# %%
# What each costs
# ---------------
# A prediction multiplies the sample by the atoms and the result by the weights of the
# network. Between the two, a pursuit or a lasso with k nonzeros makes about
# k (k + 1) / 2 sweeps over the atoms.


def costs(pipeline, X):
    """Count parameters, bytes and multiply-adds of a fitted pipeline."""
    reducer, net = pipeline[0], pipeline[-1].net_.module_
    weights = sum(parameter.numel() for parameter in net.parameters())
    used = sum(p.numel() for p in net.parameters() if p.ndim == 2)
    size = sum(p.numel() * p.element_size() for p in net.parameters())
    if hasattr(reducer, "components_"):
        atoms = reducer.components_
        stored = np.count_nonzero(atoms)
        weights, size = weights + stored, size + stored * atoms.itemsize
        used += stored
    if isinstance(reducer, SparseDictionaryCoder):
        k = round(reducer.transform(X).nnz / len(X))
        used += len(atoms) * k * (k + 1) // 2
    return {"parameters": weights, "bytes": size, "multiply-adds": used}


rows = {}
for label, pipeline in pipelines.items():
    say(f"cross-validating: {label}")
    scores = cross_validate(pipeline, X_train, y_train, cv=3, verbose=3)["test_score"]
    say("  fitting on all training images")
    start = perf_counter()
    pipeline.fit(X_train, y_train)
    fit_time = perf_counter() - start
    pipeline.predict(X_test[:10])
    start = perf_counter()
    test_score = pipeline.score(X_test, y_test)
    microseconds = (perf_counter() - start) / len(X_test) * 1e6
    rows[label] = {
        "accuracy": f"{scores.mean():.3f} ± {scores.std():.3f}",
        "test": f"{test_score:.3f}",
        **costs(pipeline, X_test),
        "fit s": f"{fit_time:.1f}",
        "µs/prediction": f"{microseconds:.1f}",
    }

table = pd.DataFrame(rows).T
say("accuracy by 3-fold cross-validation, then on the test images:")
print(table.to_string())

# %%
# The atoms
# ---------
# The dictionary and the components of the global SVD, as images. Each tile is scaled
# separately; grey is zero.


def tile(ax, atoms, title):
    """Draw atoms as tiles of a grid."""
    channels, height, width = image_shape
    side = int(np.sqrt(len(atoms)))
    images = atoms[: side * side].reshape(-1, channels, height, width)
    images = images / np.abs(images).max(axis=(1, 2, 3), keepdims=True) / 2 + 0.5
    images = np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=1)
    grid_ = images.reshape(side, side, channels, height + 2, width + 2)
    picture = grid_.transpose(0, 3, 1, 4, 2).reshape(
        side * (height + 2), side * (width + 2), channels
    )
    ax.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=1)
    ax.set_title(title)
    ax.axis("off")


learnt = pipelines["sparse codes"][0]
busiest = np.argsort(-learnt.usage_)[:64]
atoms_figure, axes = plt.subplots(1, 2, figsize=(10, 5.4), layout="constrained")
tile(axes[0], learnt.components_[busiest], "64 most used of the learnt atoms")
tile(axes[1], pipelines["SVD"][0].components_, "first components of the SVD")

# %%
# Accuracy against sparsity
# -------------------------

means = search.cv_results_["mean_test_score"]
deviations = search.cv_results_["std_test_score"]
sparsity_figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ax.errorbar(
    grid, means, deviations, marker="o", capsize=3, label="sparse codes, pursuit"
)
styles = {"raw pixels": ":", "SVD, groups of 32": "--", "SVD": "-."}
for label, style in styles.items():
    accuracy = float(rows[label]["accuracy"].split()[0])
    ax.axhline(accuracy, color="0.3", linestyle=style, label=label)
ax.set_xscale("log", base=2)
ax.set_xticks(grid, [str(k) for k in grid])
ax.set(xlabel="atoms per image", ylabel="accuracy, 3-fold cross-validation")
ax.legend()

# %%
# With ``--output`` the pictures and the table are saved to files.

if options.output:
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    atoms_figure.savefig(folder / "atoms.png", dpi=150)
    sparsity_figure.savefig(folder / "accuracy-against-sparsity.png", dpi=150)
    table.to_csv(folder / "table.csv")
    say(f"pictures and table are in {folder}/")
