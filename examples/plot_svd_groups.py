"""
Truncated SVD by groups of features
===================================

:class:`~sksparse_nn.TruncatedSVDReducer` decomposes all features together, or groups of
them separately. Here the features are the pixels of digits, and a group is some
rows of an image. This example compares groups with one decomposition that has the same
number of outputs: how much do they keep, and at what cost?
"""

# %%
# Sixteen numbers for sixty-four pixels
# -------------------------------------
# A row of an image is eight neighbouring pixels: ``groups=8`` makes eight groups, with
# two components each. ``groups=32`` makes two, the upper and the lower half, with eight
# components each. All three reducers give 16 outputs.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import TruncatedSVDReducer

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_fit, X_rest = X[:1200], X[1200:]

reducers = {
    "all pixels, 16": TruncatedSVDReducer(16),
    "halves, 2 x 8": TruncatedSVDReducer(8, groups=32),
    "rows, 8 x 2": TruncatedSVDReducer(2, groups=8),
}

shown = X_rest[:10]
pictures = {"original": shown}
for label, reducer in reducers.items():
    pictures[label] = reducer.fit(X_fit).inverse_transform(reducer.transform(shown))


def strip(ax, images, label, **options):
    """Draw images of 8 x 8 pixels side by side, their label on the left."""
    tiles = np.pad(images.reshape(-1, 8, 8), [(0, 0), (0, 0), (1, 1)])
    ax.imshow(np.hstack(tiles), **options)
    ax.set_ylabel(label, rotation=0, ha="right", va="center")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


figure, axes = plt.subplots(4, 1, figsize=(8, 3.2), layout="constrained")
for ax, (label, images) in zip(axes, pictures.items(), strict=True):
    strip(ax, images, label, cmap="gray_r", vmin=0, vmax=1)

# %%
# The components
# --------------
# A component of a group is zero outside it. That is why groups are cheap: one component
# of ``groups=8`` holds 8 numbers where one of all pixels holds 64.

figure, axes = plt.subplots(3, 1, figsize=(8, 1.8), layout="constrained")
for ax, (label, reducer) in zip(axes, reducers.items(), strict=True):
    limit = np.abs(reducer.components_).max()
    strip(ax, reducer.components_, label, cmap="PuOr", vmin=-limit, vmax=limit)

# %%
# Error, cost, accuracy
# ---------------------
# The error is the share of the squared norm that is lost on held-out images. The cost
# is the multiply-adds of one ``transform``, which are the nonzero entries of
# ``components_``. The accuracy is that of a linear model on the outputs, 3-fold
# cross-validated.


def measure(n_components, groups):
    """Fit a reducer and measure its error and cost."""
    reducer = TruncatedSVDReducer(n_components, groups=groups).fit(X_fit)
    rebuilt = reducer.inverse_transform(reducer.transform(X_rest))
    model = make_pipeline(reducer, StandardScaler(), LogisticRegression(max_iter=2000))
    return {
        "outputs": reducer.n_components_,
        "error": np.sum((X_rest - rebuilt) ** 2) / np.sum(X_rest**2),
        "multiply-adds": np.count_nonzero(reducer.components_),
        "accuracy": cross_val_score(model, X, y, cv=3).mean(),
    }


tables = {
    "all pixels": [measure(n, None) for n in (4, 8, 16, 24, 32)],
    "halves": [measure(n, 32) for n in (2, 4, 8, 12, 16)],
    "rows": [measure(n, 8) for n in (1, 2, 3, 4)],
}
table = pd.concat({name: pd.DataFrame(rows) for name, rows in tables.items()})
print(table.droplevel(1).round(3).to_string())

styles = {
    "all pixels": ("#0072B2", "o"),
    "halves": ("#D55E00", "s"),
    "rows": ("#009E73", "^"),
}
figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4.4), layout="constrained", sharey=True
)
for name, (colour, marker) in styles.items():
    part = table.loc[name]
    left.plot(part["outputs"], part["error"], color=colour, marker=marker, label=name)
    right.plot(part["multiply-adds"], part["error"], color=colour, marker=marker)
left.set(xlabel="outputs", ylabel="share that is lost", yscale="log")
right.set(xlabel="multiply-adds of one transform", xscale="log")
for ax in (left, right):
    ax.grid(alpha=0.3)
left.set_yticks([0.02, 0.05, 0.1, 0.2], ["0.02", "0.05", "0.1", "0.2"])
left.minorticks_off()
right.set_xticks([50, 100, 200, 500, 1000, 2000], [50, 100, 200, 500, 1000, 2000])
right.minorticks_off()
left.legend()

# %%
# At the same number of outputs one decomposition loses least: in that sense the SVD is
# optimal. At the same cost groups lose less. So use groups for many features whose
# neighbours belong together, where a decomposition of all is slow to fit and to apply.
# Do not use them for features in no order, or if you need the fewest outputs.
