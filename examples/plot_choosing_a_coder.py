"""
Choosing how to code
====================

This example codes images of digits in a dictionary of 128 atoms, with every algorithm
of :class:`~sksparse_nn.SparseDictionaryCoder`. It compares how much of an image the
codes lose, and how well a linear model classifies the digit from them. The two rankings
differ, so put the algorithm on the grid.
"""

# %%
# The data
# --------
# 1,797 images of 8 x 8 pixels between 0 and 1. The first two thirds are for training,
# and the error is measured on the rest. Accuracy is cross-validated over all of them,
# and each fold learns its own dictionary.

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
    """Make the linear model that classifies digits."""
    return LogisticRegression(max_iter=2000)


# %%
# Settings
# --------
# A pursuit has a number of atoms (``n_nonzero_coefs``), a penalty has a weight
# (``alpha``). The last three algorithms compare an image with each atom separately. As
# pixels are never negative, every atom would resemble every image; therefore these
# algorithms get centred images.

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
# three algorithms do not minimize it: their codes measure how much an image resembles
# an atom, not how much of the atom to add, so they have no reconstruction.

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
# Error and accuracy
# ------------------
# Left, lower is better: a pursuit loses least at a given number of atoms, "ols"
# slightly less than "omp". The penalties shrink the coefficients, which costs error.
# Right, higher is better, and the penalties are ahead. With more atoms a pursuit
# reconstructs images better and classifies them worse.

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
    ax.set_xlabel("nonzeros per image")
    ax.grid(alpha=0.3)
left.set_yticks([0.01, 0.02, 0.05, 0.1], ["0.01", "0.02", "0.05", "0.1"])
left.minorticks_off()
figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4)

# %%
# Conclusions
# -----------
# - To compress, to denoise, to state that "this image is these four atoms": "omp" or
#   "ols".
# - To classify: try "lasso" first, on a grid of ``alpha``.
# - If you can afford only one product with the atoms: "soft_threshold" with
#   ``split_sign=True``, and not too sparse.
#
# Digits are small and easy. On your data the order may differ: put ``algorithm`` on the
# grid.
