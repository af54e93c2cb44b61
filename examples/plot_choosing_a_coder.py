"""
Choosing how to code
====================

A dictionary of 128 atoms is learnt from images of digits, and the images are written
with few of its atoms each, by every algorithm that
:class:`~sksparse_nn.SparseDictionaryCoder` has. Two questions are asked of the codes:
how much of an image is lost, and how well a linear model reads the digit from them.
The answers differ, so the algorithm is worth a place on the grid.
"""

# %%
# The data
# --------
# 1,797 images of 8 x 8 pixels between 0 and 1. The first two thirds are fitted, the
# error is that of the rest. Accuracy is cross-validated over all of them, and each fold
# learns a dictionary of its own.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from sksparse_nn import SparseDictionaryCoder

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_fit, X_rest = X[:1200], X[1200:]


def reader():
    """Make the linear model that reads digits."""
    return LogisticRegression(max_iter=2000)


# %%
# Settings
# --------
# A pursuit counts atoms (``n_nonzero_coefs``), a penalty has a weight (``alpha``). The
# algorithms that look at an image once compare it with each atom by itself. Pixels are
# never negative, so every atom would resemble every image; therefore these get centred
# images.

settings = {
    "omp": [{"n_nonzero_coefs": k} for k in (2, 4, 8, 16)],
    "ols": [{"n_nonzero_coefs": k} for k in (2, 4, 8, 16)],
    "lasso": [{"alpha": alpha} for alpha in (0.8, 0.4, 0.2)],
    "elastic_net": [{"alpha": alpha, "l1_ratio": 0.9} for alpha in (0.8, 0.4, 0.2)],
    "top_k": [{"n_nonzero_coefs": k} for k in (4, 8, 16)],
    "soft_threshold": [{"alpha": a, "split_sign": True} for a in (1.0, 0.7, 0.5)],
    "triangle": [{}],
}
looks_once = {"top_k", "soft_threshold", "triangle"}

# %%
# Running them
# ------------
# The error is the share of the squared norm of the images that the codes lose. The last
# three do not aim at it: their codes say how much an image resembles an atom, not how
# much of the atom to add, and sums of atoms weighted by them mean nothing.

rows = []
for algorithm, variants in settings.items():
    for parameters in variants:
        steps = [
            SparseDictionaryCoder(
                128, algorithm=algorithm, random_state=0, **parameters
            )
        ]
        if algorithm in looks_once:
            steps.insert(0, StandardScaler(with_std=False))
        codes = make_pipeline(*steps).fit(X_fit).transform(X_rest)
        lost = np.nan
        if algorithm not in looks_once:
            rebuilt = steps[-1].inverse_transform(codes)
            lost = np.sum((X_rest - rebuilt) ** 2) / np.sum(X_rest**2)
        model = make_pipeline(*steps, MaxAbsScaler(), reader())
        rows.append(
            {
                "algorithm": algorithm,
                "setting": ", ".join(f"{k}={v}" for k, v in parameters.items()),
                "nonzeros": codes.nnz / len(X_rest),
                "error": lost,
                "accuracy": cross_val_score(model, X, y, cv=3).mean(),
            }
        )

table = pd.DataFrame(rows)
digits = {"nonzeros": 1, "error": 3, "accuracy": 3}
print(table.round(digits).to_string(index=False, na_rep="-"))

raw = cross_val_score(make_pipeline(MaxAbsScaler(), reader()), X, y, cv=3).mean()
print(f"\nthe 64 pixels themselves: accuracy {raw:.3f}")

# %%
# Two pictures
# ------------
# Left, lower is better: pursuit loses least at a given number of atoms, "ols" a little
# less than "omp". The penalties shrink what they keep, and pay for it here. Right,
# higher is better, and the penalties are ahead. More atoms help a pursuit to rebuild
# images and hurt it at telling them apart.

styles = {
    "omp": ("#0072B2", "o"),
    "ols": ("#56B4E9", "s"),
    "lasso": ("#D55E00", "^"),
    "elastic_net": ("#E69F00", "v"),
    "top_k": ("#009E73", "D"),
    "soft_threshold": ("#CC79A7", "P"),
    "triangle": ("#000000", "*"),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for algorithm, group in table.groupby("algorithm", sort=False):
    colour, marker = styles[algorithm]
    style = {"color": colour, "marker": marker, "label": algorithm, "markersize": 7}
    right.plot(group["nonzeros"], group["accuracy"], **style)
    if algorithm not in looks_once:
        left.plot(group["nonzeros"], group["error"], **style)
right.axhline(raw, color="0.4", linestyle="--", label="pixels")
left.set(ylabel="share of the images that is lost", yscale="log")
right.set(ylabel="accuracy of a linear model")
for ax in (left, right):
    ax.set_xscale("log", base=2)
    ax.set_xticks([2, 4, 8, 16, 32, 64], ["2", "4", "8", "16", "32", "64"])
    ax.set_xlabel("nonzeros an image")
    ax.grid(alpha=0.3)
left.set_yticks([0.01, 0.02, 0.05, 0.1], ["0.01", "0.02", "0.05", "0.1"])
left.minorticks_off()
figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4)

# %%
# What to take from it
# --------------------
# - To compress, to denoise, to say "this image is these four atoms": "omp" or "ols".
# - To classify: try "lasso" first, on a grid of ``alpha``.
# - Where you can afford one product with the atoms and no more: "soft_threshold" with
#   ``split_sign=True``, and not too sparse.
#
# Digits are small and easy. On your data the order may differ: put ``algorithm`` on the
# grid.
