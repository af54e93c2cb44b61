"""How trained dictionaries and dense layers fare on damaged samples and under attack.

Networks of the table of ``task_driven`` for MNIST with K = 100, with the settings that
were chosen there, on 1,000 test images. An attack is made with the gradients of each
network; a sample counts as right if it is right under the attacks on all of them.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from sksparse_nn._files import replacing
from tests.benchmarks._corruptions import CORRUPTIONS, RADII, attacked, damaged
from tests.benchmarks._one_layer import LAYERS
from tests.benchmarks._problems import data_folder
from tests.benchmarks.task_driven import fitted, mnist

matplotlib.use("agg")
from matplotlib import pyplot as plt

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
_N_IMAGES = 1000
_COMPARED = [
    "dictionary, trained",
    "dictionary, trained, dropout",
    "dictionary, trained, noise",
    "dense",
    "dense, dropout",
    "dense, noise of 0.5",
    "dense, noise of 1",
]


def networks(problem, seed):
    """Train the networks with the settings of the stored table."""
    table = pd.read_csv(_DOCS / "task_driven.csv").set_index(["data", "layer"])
    X, y, _, _ = problem.splits[seed]
    for name in _COMPARED:
        row = table.loc[problem.name, name]
        settings = {
            "learning_rate": row["learning rate"],
            "label_smoothing": row["smoothing"],
        }
        yield name, fitted(LAYERS[name](problem.size, X, seed, **settings), X, y)


def measured(problem, seed):
    """Yield a row for each damage, its strength and each network."""
    with np.load(data_folder() / "mnist.npz") as file:
        images, y = file["X_test"][:_N_IMAGES], file["y_test"][:_N_IMAGES]
    nets = dict(networks(problem, seed))
    for damage, function, strengths, _ in CORRUPTIONS:
        for strength in (0, *strengths):
            X = damaged(function, images, strength)
            for name, net in nets.items():
                yield damage, strength, name, net.score(X, y)
    X = problem.splits[seed][2][:_N_IMAGES]
    for radius in (0, *RADII):
        attacks = [attacked(net, X, y, radius) for net in nets.values()]
        for name, net in nets.items():
            right = np.all([net.predict(attack) == y for attack in attacks], axis=0)
            yield "attack", radius, name, right.mean()
        print("attack", radius, flush=True)


def plot(table):
    """Draw accuracy against the strength of each damage."""
    labels = {name: unit for name, _, _, unit in CORRUPTIONS}
    labels["attack"] = "radius, where samples have a norm of 1"
    figure, axes = plt.subplots(
        1, len(labels), figsize=(15, 3.6), sharey=True, layout="constrained"
    )
    for ax, (damage, unit) in zip(axes, labels.items(), strict=True):
        for name in _COMPARED:
            of = table[(table["damage"] == damage) & (table["layer"] == name)]
            line = "-" if name.startswith("dictionary") else "--"
            ax.plot(of["strength"], of["accuracy"], line, marker=".", label=name)
        ax.set(title=damage, xlabel=unit)
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("accuracy")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))
    with replacing(_DOCS / "robustness.png") as beside:
        figure.savefig(beside, dpi=100, format="png")


def main():
    """Measure, print the table, store it and draw it."""
    torch.set_num_threads(1)
    problem = mnist(100)
    seeds = range(len(problem.splits))
    columns = ["damage", "strength", "layer", "accuracy"]
    with threadpool_limits(1):
        rows = [row for seed in seeds for row in measured(problem, seed)]
    groups = pd.DataFrame(rows, columns=columns).groupby(columns[:3], sort=False)
    table = groups.mean().reset_index().round(4)
    print(table.pivot_table(index=columns[:2], columns="layer", sort=False).to_string())
    with replacing(_DOCS / "robustness.csv") as beside:
        table.to_csv(beside, index=False)
    plot(table)


if __name__ == "__main__":
    main()
