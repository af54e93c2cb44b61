"""Ten pipelines as people build them, fitted on digits."""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparsitySearchCV,
    TruncatedSVDReducer,
)

_DIGITS = load_digits()
ROWS = (_DIGITS.data / 16).astype(np.float32)
LABELS = np.array([f"digit {number}" for number in _DIGITS.target])


def _network(*sizes, **parameters):
    return SparseNetClassifier(sizes, max_epochs=3, random_state=0, **parameters)


def _coder(algorithm, n_atoms=64, **parameters):
    return SparseDictionaryCoder(
        n_atoms, algorithm=algorithm, max_epochs=2, random_state=0, **parameters
    )


def _convolutional():
    return SparseNetClassifier(
        module="resnet8", image_shape=(1, 8, 8), max_epochs=1, random_state=0
    )


def _search():
    steps = make_pipeline(MaxAbsScaler(), _coder("soft_threshold", 32), _network(16))
    return SparsitySearchCV(steps, {"sparsedictionarycoder__alpha": [0.05, 0.2]}, cv=2)


def _columns():
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(StandardScaler(), TruncatedSVDReducer(2)), ["dark", "wide"]),
            (OneHotEncoder(sparse_output=False), ["side"]),
        ),
        _network(16),
    )


PIPELINES = {
    "network": _network(64),
    "svd, network": make_pipeline(
        StandardScaler(), TruncatedSVDReducer(20), _network(64)
    ),
    "omp, network": make_pipeline(
        _coder("omp", n_nonzero_coefs=6), MaxAbsScaler(), _network(64)
    ),
    "lasso, logistic regression": make_pipeline(
        StandardScaler(), _coder("lasso", 32, alpha=1.0), LogisticRegression()
    ),
    "attention and svd, network": make_pipeline(
        make_union(SparseAttentionCoder(32, random_state=0), TruncatedSVDReducer(10)),
        _network(32),
    ),
    "patches, selection, network": make_pipeline(
        ImagePatchCoder(
            32, image_shape=(8, 8), patch_size=3, max_epochs=1, random_state=0
        ),
        SelectKBest(k=80),
        StandardScaler(),
        _network(32),
    ),
    "columns of a table, network": _columns(),
    "search": _search(),
    "pruned, 8 bits": NetQuantizer(
        NetPruner(make_pipeline(MaxAbsScaler(), _network(64, 64)), amount=0.5)
    ),
    "convolutions, 4 bits": NetQuantizer(
        _convolutional(), scheme="weight_only", n_bits=4
    ),
}


def rows_for(name):
    """Return the samples that a pipeline takes."""
    if "table" not in name:
        return ROWS
    sides = np.where(ROWS[:, :32].sum(axis=1) > ROWS[:, 32:].sum(axis=1), "up", "down")
    return pd.DataFrame(
        {"dark": ROWS.sum(axis=1), "wide": (ROWS > 0.5).sum(axis=1), "side": sides}
    ).astype({"wide": np.float32})
