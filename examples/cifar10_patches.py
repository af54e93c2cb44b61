"""
CIFAR-10 by sparse features of patches and a linear classifier
==============================================================

A program to run, not a page::

    python examples/cifar10_patches.py FOLDER [--atoms 100 400 1600]

It reproduces the published comparison of dictionaries and encoders (Coates, Lee, Ng
2011; Coates, Ng 2011), compares them with few labels, and measures how accurate the
best pair gets with larger patches, mirrored images and smoothed labels. Every number is
written to --output as soon as it is known, and never computed twice. With 4000 atoms a
matrix of features takes 6.4 GB, and 12.8 GB with mirrored images.
"""

import argparse
from functools import cache
from itertools import product
from pathlib import Path
from time import perf_counter

import matplotlib as mpl
import numpy as np
import pandas as pd
from sklearn.model_selection import KFold
from skorch.callbacks import LRScheduler
from tqdm import tqdm

from sksparse_nn import ImagePatchCoder, SparseNetClassifier
from sksparse_nn.datasets import load_cifar10

DICTIONARIES = {
    "random patches": {"learner": None},
    "k-means": {"learner": "kmeans", "n_patches": 400_000},
    "OMP-1": {"learner": "mod", "n_patches": 400_000, "max_epochs": 30},
    "sparse coding": {"learner": "online", "algorithm": "lasso", "alpha": 1.0},
}
ENCODERS = {
    "soft threshold": {"algorithm": "soft_threshold", "alpha": 0.25},
    "triangle": {"algorithm": "triangle"},
    "hard assignment": {"algorithm": "hard_assignment"},
    "sparse coding": {"algorithm": "lasso", "alpha": 1.0},
}
PUBLISHED = {
    ("published", "k-means", "triangle", 1600): 77.9,
    ("published", "k-means", "triangle", 4000): 79.6,
    ("published", "k-means", "hard assignment", 1600): 68.6,
    ("published", "random patches", "soft threshold", 1600): 79.1,
    ("published", "sparse coding", "sparse coding", 1600): 78.8,
    ("published", "OMP-1", "soft threshold", 1600): 79.4,
}
# As published, and as chosen on held-out images of a JPEG copy: compression removes the
# fine detail that strong whitening relies on.
RECIPES = {
    "published": {"contrast_reg": 0.01, "whiten_reg": 0.1},
    "larger, mirrored": {"patch_size": 8, "contrast_reg": 0.056, "whiten_reg": 1.0},
}
MIRRORED = {"larger, mirrored"}
SMOOTHING = {"published": 0.0, "larger, mirrored": 0.1}
ENCODERS_OF = {
    "published": ENCODERS,
    "larger, mirrored": ENCODERS
    | {"soft threshold": {"algorithm": "soft_threshold", "alpha": 0.35}},
}
FOR_ALL_LABELS, LABELS = 5000, (10, 30, 100, 500, 5000)
DECAYS, FIRST_DECAY = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0), 4
EPOCHS, BATCH, FEWEST_STEPS = 40, 256, 2000
BLOCK, FEW_ROWS = 1000, 5000


class Results:
    """A table on disk, so that no number is computed twice."""

    def __init__(self, path):
        self.path = path
        self.rows = pd.read_csv(path).to_dict("records") if path.exists() else []

    def find(self, **key):
        """Return the row of a key, or None."""
        return next((row for row in self.rows if key.items() <= row.items()), None)

    def add(self, **row):
        """Write a row."""
        self.rows.append(row)
        beside = self.path.with_suffix(".new")  # an interrupt loses no rows
        pd.DataFrame(self.rows).to_csv(beside, index=False)
        beside.replace(self.path)


def make_coder(cell, images, folder):
    """Return a fitted coder, whose atoms are learnt once and stored on disk."""
    recipe, dictionary, encoder, n_atoms = cell
    common = {"image_shape": (3, 32, 32), "n_jobs": -1, "random_state": 0}
    common |= RECIPES[recipe]
    path = folder / f"{recipe} {dictionary} {n_atoms}.npy"
    if not path.exists():
        tqdm.write(f"learning {n_atoms} atoms: {dictionary}")
        learnt = ImagePatchCoder(n_atoms, **common, **DICTIONARIES[dictionary])
        beside = path.with_suffix(".new.npy")
        np.save(beside, learnt.fit(images).components_)
        beside.replace(path)
    encoding = ENCODERS_OF[recipe][encoder]
    coder = ImagePatchCoder(
        n_atoms, learner=None, init=np.load(path), **common, **encoding
    )
    return coder.fit(images)


def encoded(coder, X):
    """Return the features of images, with a progress bar over blocks."""
    Z = np.empty((len(X), len(coder.get_feature_names_out())), np.float32)
    for start in tqdm(range(0, len(X), BLOCK), desc="encoding", unit="k images"):
        Z[start : start + BLOCK] = coder.transform(X[start : start + BLOCK])
    return Z


def mirrored(X, y):
    """Add the mirror image of each image next to it."""
    flipped = X.reshape(-1, 3, 32, 32)[..., ::-1].reshape(X.shape)
    both = np.stack([X, flipped], axis=1).reshape(-1, X.shape[1])
    return both, np.repeat(y, 2)


def standardise(Z, mean=None, scale=None):
    """Standardise features in place, block by block."""
    blocks = [Z[start : start + BLOCK] for start in range(0, len(Z), BLOCK)]
    if mean is None:
        mean = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(Z)
        squares = sum(((block - mean) ** 2).sum(axis=0) for block in blocks) / len(Z)
        scale = 1 / np.sqrt(squares + 0.01)
    mean, scale = mean.astype(Z.dtype), scale.astype(Z.dtype)
    for block in blocks:
        block -= mean
        block *= scale
    return mean, scale


def linear(recipe, decay, n_rows):
    """Make a linear classifier whose learning rate falls to zero along a cosine."""
    n_batches = -(-n_rows // BATCH)
    n_epochs = max(EPOCHS, FEWEST_STEPS // n_batches)
    falling = LRScheduler(
        policy="CosineAnnealingLR", T_max=n_epochs * n_batches, step_every="batch"
    )
    return SparseNetClassifier(
        (),
        learning_rate=3e-3,
        weight_decay=decay,
        label_smoothing=SMOOTHING[recipe],
        max_epochs=n_epochs,
        batch_size=BATCH,
        callbacks=[("falling", falling)],
        random_state=0,
        verbose=1,
    )


def folds(n_rows):
    """Split few rows five times, and many once, by slices, which copy nothing."""
    if n_rows <= FEW_ROWS:
        return list(KFold(5).split(np.empty(n_rows)))
    n_kept = n_rows - n_rows // 5
    return [(slice(n_kept), slice(n_kept, None))]


def choose_decay(recipe, Z, y):
    """Return the best weight decay on held-out rows, by hill climbing."""
    parts = folds(len(Z))

    @cache
    def score(place):
        tqdm.write(f"trying a decay of {DECAYS[place]}")
        nets = [linear(recipe, DECAYS[place], len(y[kept])) for kept, _ in parts]
        return np.mean(
            [
                net.fit(Z[kept], y[kept]).score(Z[out], y[out])
                for net, (kept, out) in zip(nets, parts, strict=True)
            ]
        )

    best, start = FIRST_DECAY, None
    while best != start:
        start = best
        near = range(max(start - 1, 0), min(start + 2, len(DECAYS)))
        best = max(near, key=score)
    return DECAYS[best]


def few_labels(y, n_labels):
    """Return the first rows of each class, shuffled."""
    if n_labels >= FOR_ALL_LABELS:
        return slice(None)
    rows = np.concatenate([np.flatnonzero(y == c)[:n_labels] for c in np.unique(y)])
    return np.random.default_rng(0).permutation(rows)


def run_cell(cell, data, results, folder):
    """Encode all images, train on each number of labels, write accuracies."""
    *names, all_labels = cell
    recipe = cell[0]
    key = dict(zip(("recipe", "dictionary", "encoder", "atoms"), names, strict=True))
    wanted = [n for n in all_labels if not results.find(**key, labels=n)]
    if not wanted:
        return
    X, y, X_test, y_test = data
    if recipe in MIRRORED:
        X, y = mirrored(X, y)
    start = perf_counter()
    coder = make_coder(names, X, folder)
    to_learn, start = perf_counter() - start, perf_counter()
    Z, Z_test = encoded(coder, X), encoded(coder, X_test)
    to_encode = perf_counter() - start
    standardise(Z_test, *standardise(Z))
    for n_labels in wanted:
        start = perf_counter()
        rows = few_labels(y, n_labels)
        Z_rows, y_rows = Z[rows], y[rows]
        decay = choose_decay(recipe, Z_rows, y_rows)
        net = linear(recipe, decay, len(y_rows)).fit(Z_rows, y_rows)
        results.add(
            **key,
            labels=n_labels,
            accuracy=round(100 * net.score(Z_test, y_test), 2),
            published=PUBLISHED.get(tuple(names)),
            decay=decay,
            seconds_to_learn=round(to_learn),
            seconds_to_encode=round(to_encode),
            seconds_to_train=round(perf_counter() - start),
        )


def cells(arguments):
    """List the cells to compute: recipe, dictionary, encoder, atoms, labels."""
    few = [("OMP-1", "soft threshold"), ("sparse coding", "sparse coding")]
    table = [
        ("published", *names, n_atoms, (FOR_ALL_LABELS,))
        for n_atoms in sorted(arguments.atoms)
        for names in product(arguments.dictionaries, arguments.encoders)
    ]
    best = [("larger, mirrored", "OMP-1", "soft threshold")]
    return [
        *table,
        *(("published", *names, 400, LABELS) for names in few),
        *((*names, n, (FOR_ALL_LABELS,)) for names in best for n in arguments.best),
    ]


def largest(results):
    """Return the two best pairs with the published settings, for 4000 atoms."""
    full = [
        row
        for row in results.rows
        if (row["labels"], row["recipe"]) == (FOR_ALL_LABELS, "published")
    ]
    best = sorted((r for r in full if r["atoms"] == 1600), key=lambda r: -r["accuracy"])
    return [
        ("published", r["dictionary"], r["encoder"], 4000, (FOR_ALL_LABELS,))
        for r in best[:2]
    ]


def tables(results):
    """Return accuracies with all labels, times, and accuracies with few labels."""
    rows = pd.DataFrame(results.rows)
    accuracy = rows.accuracy.map("{:.1f}".format)
    published = rows.published.map(lambda p: "" if pd.isna(p) else f" ({p:.1f})")
    works = [f"seconds_to_{work}" for work in ("learn", "encode", "train")]
    # Atoms are learnt once and kept: the first cell that needed them took the time.
    learnt = rows.groupby(["recipe", "dictionary", "atoms"]).seconds_to_learn
    rows = rows.assign(seconds_to_learn=learnt.transform("max"))
    seconds = rows[works].map("{:.0f}".format).agg(" + ".join, axis=1)
    rows = rows.assign(few=accuracy, all=accuracy + published, seconds=seconds)
    full = rows[rows.labels == FOR_ALL_LABELS]
    curves = rows[(rows.recipe == "published") & (rows.atoms == 400)]
    curves = curves[curves.duplicated(["dictionary", "encoder"], keep=False)]

    def pivot(part, cell, columns="encoder", names=("recipe", "dictionary", "atoms")):
        table = part.pivot_table(cell, [*names], columns, aggfunc="first").fillna("")
        return table.rename_axis(columns=None)

    return {
        "cifar10_table": pivot(full, "all"),
        "cifar10_seconds": pivot(full, "seconds"),
        "cifar10_few": pivot(curves, "few", "labels", ("dictionary", "encoder")),
    }


def draw(results, folder):
    """Draw accuracy against atoms, and against labels."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    table = pd.DataFrame(results.rows).query("recipe == 'published'")
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    full = table[table.labels == FOR_ALL_LABELS]
    markers = dict(zip(DICTIONARIES, "os^D", strict=True))
    colours = dict(zip(ENCODERS, ("C0", "C1", "C2", "C3"), strict=True))
    panels = [
        (full, "atoms", "atoms"),
        (table[table.atoms == 400], "labels", "labels a class"),
    ]
    for ax, (part, axis, name) in zip(axes, panels, strict=True):
        for (dictionary, encoder), line in part.groupby(["dictionary", "encoder"]):
            if axis == "labels" and len(line) < 2:
                continue
            line = line.sort_values(axis)
            style = {"marker": markers[dictionary], "color": colours[encoder]}
            ax.semilogx(
                line[axis], line.accuracy, **style, label=f"{dictionary}, {encoder}"
            )
        ticks = sorted(part[axis].unique())
        ax.minorticks_off()
        ax.set_xticks(ticks, labels=ticks)
        ax.set(xlabel=name, ylabel="test accuracy, %")
    axes[0].set_title("all labels")
    axes[1].set_title("400 atoms, few labels")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside right upper", title="dictionary, encoder"
    )
    figure.savefig(folder / "cifar10_patches.png", dpi=100)
    plt.close(figure)


def main():
    """Compute the missing results, and print all."""
    parser = argparse.ArgumentParser(description="Sparse patch features of CIFAR-10.")
    parser.add_argument("cifar10", metavar="FOLDER", help="a layout of CIFAR-10")
    parser.add_argument("--atoms", type=int, nargs="+", default=[100, 400, 1600])
    parser.add_argument("--dictionaries", nargs="+", default=[*DICTIONARIES])
    parser.add_argument("--encoders", nargs="+", default=[*ENCODERS])
    parser.add_argument("--best", type=int, nargs="*", default=[1600, 4000])
    parser.add_argument("--largest", action="store_true", help="4000 atoms too")
    parser.add_argument("--output", default="patches-output", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    results = Results(arguments.output / "cifar10_patches.csv")
    data = [
        array
        for subset in ("train", "test")
        for array in load_cifar10(arguments.cifar10, subset=subset, return_X_y=True)
    ]
    for cell in tqdm(cells(arguments), unit="cell"):
        run_cell(cell, data, results, arguments.output)
    if arguments.largest:
        for cell in tqdm(largest(results), unit="cell"):
            run_cell(cell, data, results, arguments.output)
    for name, table in tables(results).items():
        print(f"\n{table.to_string()}")
        table.to_csv(arguments.output / f"{name}.csv")
    draw(results, arguments.output)


if __name__ == "__main__":
    main()
