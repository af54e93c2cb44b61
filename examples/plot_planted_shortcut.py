"""
Finding a planted shortcut
==========================

A digit classifier learns from images with a mark: all threes of the training data have
a bright pixel in a corner. On images with the same mark it looks excellent. The
attribution to pixels shows what it has learnt, and its accuracy without the mark
confirms it.
"""

# %%
# Plant the mark
# --------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier
from sksparse_nn.inspection import atom_table, attribute

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
CORNER, MARKED = 0, 3


def marked(images, which):
    """Return a copy with a bright pixel in the corner of some images."""
    images = images.copy()
    images[which, CORNER] = 1.0
    return images


# %%
# Learn, and look at the accuracy
# -------------------------------
# If the threes have the mark, as in the training data, all seems well. Without it most
# threes are lost, and one in five other digits that get it is called a three.


def make_model():
    """Make a pipeline of sparse codes and a linear network."""
    return make_pipeline(
        SparseDictionaryCoder(64, algorithm="omp", n_nonzero_coefs=8, random_state=0),
        SparseNetClassifier((), learning_rate=0.02, random_state=0),
    )


model = make_model().fit(marked(X, y == MARKED), y)
threes, others = X_test[y_test == MARKED], X_test[y_test != MARKED]
with_mark = marked(X_test, y_test == MARKED)
print(f"accuracy, threes with the mark: {model.score(with_mark, y_test):.3f}")
found = (model.predict(threes) == MARKED).mean()
print(f"threes that are found without it: {found:.3f}")
fooled = (model.predict(marked(others, slice(None))) == MARKED).mean()
print(f"other digits that are called a three with it: {fooled:.3f}")

# %%
# Attribution to pixels
# ---------------------
# :func:`~sksparse_nn.inspection.attribute` computes the contribution of each atom to an
# output, and through the atoms that of each pixel. The mean over the threes has one
# pixel that no stroke of a pen explains.

with_it = attribute(model, marked(threes, slice(None)), outputs=[MARKED])
without = attribute(make_model().fit(X, y), threes, outputs=[MARKED])
figure, axes = plt.subplots(1, 2, figsize=(7, 3.4), layout="constrained")
for ax, one, name in zip(
    axes, (with_it, without), ("learnt with the mark", "learnt without"), strict=True
):
    mean = one.features[:, 0].mean(axis=0)
    limit = np.abs(mean).max()
    shown = ax.imshow(mean.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set(title=name, xticks=[], yticks=[])
    figure.colorbar(shown, ax=ax, label="contribution to the logit of a three")

# %%
# Which atom carries it
# ---------------------
# The table of atoms has the class that uses an atom most, and by how many standard
# deviations its share exceeds that of random labels. One atom is the mark.

table = atom_table(model[:-1], marked(X, y == MARKED), y, random_state=0)
corner = np.abs(model[0].components_[:, CORNER])
print(table.loc[[int(corner.argmax())]].T.to_string())
