"""
Screening rows ahead of a model
===============================

Faults are planted in two real data sets: numbers in a wrong unit, swapped columns,
rows that appear twice, and saturated images. The screener is to find them, and says by
which rule. Two detectors of scikit-learn are to find them too, and a classifier is
trained with and without the rows that each of them excludes.
"""

# %%
# Plant faults in a table
# -----------------------
# The table has 569 rows with 30 measurements of cell nuclei. A tenth of the training
# data get a fault: one number is multiplied by 10 or by 1000, or two columns change
# places, or the row is a copy of another one.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import RowScreener, ScreenedEstimator
from sksparse_nn.inspection import ScreeningDisplay


def plant_in_table(X, rng):
    """Return a copy with faults, and the kind of fault of each row."""
    X, kinds = X.copy(), np.full(len(X), "none", dtype="U12")
    rows = rng.choice(np.arange(20, len(X)), len(X) // 10, replace=False)
    for row, kind in zip(
        rows, rng.permuted(KINDS * len(rows))[: len(rows)], strict=True
    ):
        kinds[row] = kind
        one, other = rng.choice(X.shape[1], 2, replace=False)
        if kind == "copy":
            X[row] = X[rng.choice(np.setdiff1d(np.arange(row), rows))]
        elif kind == "swapped":
            X[row, [one, other]] = X[row, [other, one]]
        else:
            X[row, one] *= 10 if kind == "times 10" else 1000
    return X, kinds


KINDS = ["times 10", "times 1000", "swapped", "copy"]
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
names = X.columns
X, X_test, y, y_test = train_test_split(X.to_numpy(), y, random_state=0)
faulty, kinds = plant_in_table(X, np.random.default_rng(0))

# %%
# What the screener finds
# -----------------------
# The table of exclusions says what is wrong with each row. The display shows how far
# beyond the limits the numbers are.

screener = RowScreener().fit(pd.DataFrame(faulty, columns=names), y)
print(pd.DataFrame(screener.excluded_).head(8).to_string())
display = ScreeningDisplay.from_estimator(screener)

# %%
# Beside two detectors
# --------------------
# The two detectors are told how many rows are bad, which nobody knows in practice. Each
# gets columns of one scale. A screener can also ask a detector about the rows that
# break no rule; here it is told to exclude 3 % of them.


FOREST = IsolationForest(contamination=0.03, random_state=0)


def find(method, X):
    """Return which rows a method excludes."""
    if not isinstance(method, RowScreener):
        X = StandardScaler().fit_transform(X)
    return clone(method).fit_predict(X) == -1


def compare(methods, faulty, kinds, data):
    """Tabulate what methods find, and the accuracy of a model on what they keep."""
    _, y, X_test, y_test = data
    is_bad, lines = kinds != "none", {}
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    for name, method in methods.items():
        is_out = np.zeros(len(y), bool) if method is None else find(method, faulty)
        n_right = np.sum(is_out & is_bad)
        line = {
            "precision": n_right / is_out.sum() if is_out.any() else np.nan,
            "recall": n_right / is_bad.sum(),
        }
        for kind in np.unique(kinds[is_bad]):
            line[kind] = is_out[kinds == kind].mean()
        line["accuracy"] = model.fit(faulty[~is_out], y[~is_out]).score(X_test, y_test)
        lines[name] = line
    return pd.DataFrame(lines).T


def average(plant, data, n_rounds=5):
    """Repeat the comparison with other rows, and average it."""
    tables = []
    for seed in range(n_rounds):
        faulty, kinds = plant(data[0], np.random.default_rng(seed))
        share = np.mean(kinds != "none")
        methods = {
            "nothing excluded": None,
            "RowScreener()": RowScreener(),
            "RowScreener(margin=2)": RowScreener(margin=2.0),
            "RowScreener, then forest": RowScreener(detector=FOREST),
            "RowScreener, reconstruction": RowScreener(
                detector="reconstruction", detector_quantile=0.03
            ),
            "IsolationForest": IsolationForest(contamination=share, random_state=0),
            "LocalOutlierFactor": LocalOutlierFactor(contamination=share),
        }
        tables.append(compare(methods, faulty, kinds, data))
    return sum(tables) / n_rounds


in_table = average(plant_in_table, (X, np.asarray(y), X_test, y_test))
print(in_table.round(3).to_string())

# %%
# Copies are found by the screener alone: nothing is unusual about such a row but that
# it is there twice. Swapped columns are found where the two have different scales, and
# ``LocalOutlierFactor`` finds more of them. With its default margin the screener
# excludes no good row; a smaller margin finds more, and costs some. The accuracies
# differ by less than two of the 143 test rows.
#
# Images
# ------
# Of the digits a fortieth are white, a fortieth are too bright, and a twentieth are
# copies. An image that is too bright has no number beyond its limits, so rules do not
# find it, and ``IsolationForest`` does. Alone it takes good images for the copies.


def plant_in_images(X, rng):
    """Return a copy with faults, and the kind of fault of each row."""
    X, kinds = X.copy(), np.full(len(X), "none", dtype="U12")
    rows = rng.choice(np.arange(20, len(X)), len(X) // 10, replace=False)
    white, bright, copies = np.array_split(
        np.sort(rows), [len(rows) // 4, len(rows) // 2]
    )
    kinds[white], kinds[bright], kinds[copies] = "white", "too bright", "copy"
    X[white] = 16
    X[bright] = np.minimum(16, 4 * X[bright] + 8)
    for row in copies:
        X[row] = X[rng.choice(np.setdiff1d(np.arange(row), rows))]
    return X, kinds


X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, random_state=0)
in_images = average(plant_in_images, (X, y, X_test, y_test), n_rounds=2)
print(in_images.round(3).to_string())

# %%
# In one estimator
# ----------------
# A :class:`~sksparse_nn.ScreenedEstimator` excludes rows while it is fitted, and
# predicts all.

model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
images, kinds = plant_in_images(X, np.random.default_rng(0))
screened = ScreenedEstimator(RowScreener(), model).fit(images, y)
print(f"accuracy: {screened.score(X_test, y_test):.3f}")

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
shown = {"table": in_table, "images": in_images}
for ax, (name, table) in zip(axes, shown.items(), strict=True):
    table[["precision", "recall"]].drop("nothing excluded").plot.barh(ax=ax, rot=0)
    ax.set(title=name, xlim=(0, 1))
    ax.invert_yaxis()
axes[1].set_yticklabels([])
