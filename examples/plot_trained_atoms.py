"""
Atoms that are trained with the labels
======================================

A dictionary is learnt without labels first. :class:`~sksparse_nn.SparseNetClassifier`
then trains its atoms together with the linear layer behind the codes. This example
shows what that does to the atoms, and what it gains against the codes as learnt, and
against a hidden layer of as many units.
"""

# %%
# The data
# --------
# 1,797 images of 8 x 8 pixels, as samples of unit norm.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.preprocessing import normalize

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier
from sksparse_nn.inspection import DictionaryDisplay

X, y = load_digits(return_X_y=True)
X = normalize(X).astype(np.float32)
X_fit, X_test, y_fit, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Training the atoms
# ------------------
# ``tune_coder=False`` keeps the atoms as they are learnt. The penalty of 0.1 suits
# samples of unit norm.

parameters = {"learning_rate": 0.01, "scheduler": "cosine", "random_state": 0}


def coded(n_atoms, **options):
    """Make a classifier of codes."""
    coder = SparseDictionaryCoder(n_atoms, alpha=0.1, max_epochs=4, random_state=0)
    return SparseNetClassifier((), coder=coder, **parameters, **options)


networks = {
    "as learnt": coded(24, tune_coder=False),
    "trained": coded(24),
    "trained, reconstruction=0.5": coded(24, reconstruction=0.5),
}
for name, network in networks.items():
    network.fit(X_fit, y_fit)
    coder = network.coder_
    codes = coder.transform(X_test)
    lost = ((X_test - coder.inverse_transform(codes)) ** 2).sum() / (X_test**2).sum()
    print(
        f"{name:28} accuracy {network.score(X_test, y_test):.3f}, "
        f"{codes.nnz / len(X_test):.1f} nonzeros, lost share {lost:.2f}"
    )

# %%
# The atoms
# ---------
# Without labels an atom looks like one of the digits. With labels it becomes a
# contrast: pixels that speak for some digits, in red, beside pixels that speak against
# them, in blue. A share of the reconstruction in the loss keeps atoms nearer to the
# images, at the same accuracy.

figure, axes = plt.subplots(1, 3, figsize=(12, 2.8), layout="constrained")
for ax, (name, network) in zip(axes, networks.items(), strict=True):
    DictionaryDisplay.from_estimator(network.coder_, image_shape=(8, 8), axes=[ax])
    ax.set_title(name)
plt.show()

# %%
# Accuracy against size
# ---------------------
# Each model has a layer of K codes or units and a linear layer. Scores are means of
# three folds. The learning rate of the hidden layer is the best of three on these
# folds, which favours it. Trained atoms gain most where there are few of them.

folds = StratifiedKFold(3, shuffle=True, random_state=0)
sizes = (8, 16, 32, 64)
scores = pd.DataFrame(index=pd.Index(sizes, name="K"), dtype=float)
for n in sizes:
    scores.loc[n, "codes, atoms trained"] = cross_val_score(
        coded(n), X, y, cv=folds
    ).mean()
    scores.loc[n, "codes, atoms as learnt"] = cross_val_score(
        coded(n, tune_coder=False), X, y, cv=folds
    ).mean()
    scores.loc[n, "hidden layer"] = max(
        cross_val_score(
            SparseNetClassifier((n,), **(parameters | {"learning_rate": rate})),
            8 * X,  # a mean square of one, as the codes have
            y,
            cv=folds,
        ).mean()
        for rate in (0.003, 0.01, 0.03)
    )
print(scores.round(3).to_string())

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, style in zip(scores, ("o-", "o--", "s:"), strict=True):
    ax.plot(scores.index, scores[name], style, label=name)
ax.set_xscale("log", base=2)
ax.set_xticks(sizes, [str(n) for n in sizes])
ax.set(xlabel="codes or hidden units", ylabel="accuracy")
ax.grid(alpha=0.3)
ax.legend()
plt.show()
