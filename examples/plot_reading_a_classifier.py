"""
Reading a digit classifier
==========================

Which atoms a network uses, what each stands for, how they explain a prediction, and
whether that explanation is true. All numbers come from functions; the pictures are
displays of them.
"""

# %%
# A small model
# -------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sksparse_nn import SparseDictionaryCoder, SparseNetClassifier
from sksparse_nn.inspection import (
    AtomCardDisplay,
    AttributionDisplay,
    CodeUsageDisplay,
    DeletionCurvesDisplay,
    DictionaryDisplay,
    atom_table,
    attribute,
)

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
model = make_pipeline(
    SparseDictionaryCoder(64, algorithm="omp", n_nonzero_coefs=8, random_state=0),
    SparseNetClassifier((), learning_rate=0.02, random_state=0),
).fit(X, y)
print(f"accuracy: {model.score(X_test, y_test):.3f}")

# %%
# The dictionary
# --------------
# Each atom is a stroke or a part of one.

display = DictionaryDisplay.from_estimator(model[:-1], image_shape=(8, 8))
display = CodeUsageDisplay.from_estimator(model[:-1], X_test)

# %%
# What atoms are for
# ------------------
# ``class_score`` is the number of standard deviations by which the share of an atom's
# top class exceeds that of random labels: above 5, the atom stands for something.

table = atom_table(model[:-1], X_test, y_test, random_state=0)
columns = ["usage", "coherence", "top_class", "class_share", "class_score"]
print(table.nlargest(8, "class_score")[columns].round(2).to_string())

# %%
# Why this prediction
# -------------------
# With a linear network contributions and bias sum to the logit exactly.

found = attribute(model, X_test[:1], outputs="predicted")
total = found.atoms.sum() + found.bias[0, 0]
print(f"sum of the atoms and the bias {total:.6f}, logit {found.outputs[0, 0]:.6f}")
display = AttributionDisplay.from_estimator(model, X_test[:1], image_shape=(8, 8))

# %%
# One atom
# --------

strongest = int(np.abs(found.atoms[0, 0]).argmax())
display = AtomCardDisplay.from_estimator(
    model[:-1], X_test, y_test, atom=strongest, image_shape=(8, 8)
)

# %%
# Is it true?
# -----------
# Without the atoms that are called important, accuracy falls much faster than without
# random atoms.

display = DeletionCurvesDisplay.from_estimator(model, X_test, y_test, random_state=0)
plt.show()
