"""
What a hidden layer is made of
==============================

The last hidden layer of a digit classifier has 64 units, which all respond to many
digits. :class:`~sksparse_nn.LayerActivations` outputs the activations of that layer,
:class:`~sksparse_nn.SparseDictionaryCoder` writes them with three atoms each, and the
atoms can be inspected: which images use them, and what does the network do without
them?
"""

# %%
# A network, and a dictionary of its activations
# ----------------------------------------------
# The network is fitted first. In a ``FrozenEstimator`` it stays unchanged, and the
# pipeline learns only the dictionary. All results are for images that nothing has been
# fitted to.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sksparse_nn import (
    LayerActivations,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TopKAutoencoder,
)
from sksparse_nn.inspection import dead_atoms, explained_variance, loss_recovered, steer

X, y = load_digits(return_X_y=True)
X_fit, X_rest, y_fit, y_rest = train_test_split(
    (X / 16).astype(np.float32), y, test_size=0.4, random_state=0, stratify=y
)
net = SparseNetClassifier((64,), learning_rate=0.005, dropout=0.2, random_state=0)
net.fit(X_fit, y_fit)
print(f"accuracy {net.score(X_rest, y_rest):.3f}")

activations = LayerActivations(FrozenEstimator(net))
coder = SparseDictionaryCoder(48, algorithm="omp", n_nonzero_coefs=3, random_state=0)
pipeline = make_pipeline(activations, coder).fit(X_fit)
codes = pipeline.transform(X_rest)

# %%
# How well three atoms stand for 64 units
# ---------------------------------------
# The explained variance measures the reconstruction of the layer, the recovered loss
# its effect on the network: 1 is as good as the activation itself, 0 as bad as its
# mean. A top-k sparse autoencoder with as many atoms is the baseline.

A_fit, A_rest = activations.fit(X_fit).transform(X_fit), activations.transform(X_rest)
autoencoder = TopKAutoencoder(48, n_nonzero_coefs=3, max_epochs=200, random_state=0)
for atoms in (coder, autoencoder.fit(A_fit)):
    coded = atoms.transform(A_rest)
    kept = explained_variance(A_rest, atoms.inverse_transform(coded))
    loss = loss_recovered(net, atoms, X_rest, y_rest)
    print(
        f"{type(atoms).__name__:22} explained variance {kept:.3f}, "
        f"loss recovered {loss.recovered_mean:.3f}, dead atoms {len(dead_atoms(coded))}"
    )

# %%
# What the atoms respond to
# -------------------------
# For each of the most used atoms, the mean of the fifteen images with the largest
# coefficients. The title has the digit that most of these show, and how many. Many
# atoms stand for one digit, some for one way to write it.

columns = codes.toarray()
used = np.argsort(-(columns > 0).sum(axis=0))[:12]
figure, axes = plt.subplots(2, 6, figsize=(10, 4.4), layout="constrained")
for ax, atom in zip(axes.flat, used, strict=True):
    top = np.argsort(-columns[:, atom])[:15]
    digit, count = max(
        zip(*np.unique(y_rest[top], return_counts=True), strict=True),
        key=lambda pair: pair[1],
    )
    ax.imshow(X_rest[top].mean(axis=0).reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(f"atom {atom}: {count} of 15 are {digit}", fontsize=9)
    ax.set(xticks=[], yticks=[])
figure.suptitle("Mean of the 15 images that use an atom the most")

# %%
# What the network does without an atom
# -------------------------------------
# :func:`~sksparse_nn.inspection.steer` removes one atom from the activation and keeps
# everything else, including the part that no atom reconstructs. The picture shows the
# mean change of each probability among the images that use the atom. Blue is a loss:
# the network needs the atom to recognize that digit.

changes = []
for atom in used:
    rows = columns[:, atom] > 0
    before, after = steer(net, coder, X_rest[rows], atoms=atom)
    changes.append((after - before).mean(axis=0))
changes = np.array(changes)
figure, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
largest = np.abs(changes).max()
image = ax.imshow(changes, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
ax.set_xticks(range(10))
ax.set_yticks(range(len(used)), [f"atom {atom}" for atom in used])
ax.set(xlabel="digit", title="Without the atom")
figure.colorbar(image, label="change of the probability")
