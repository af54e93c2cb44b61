"""The defaults that decide the most, as they stand in the signatures."""

from inspect import signature

import pandas as pd

from sksparse_nn import (
    ImagePatchCoder,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TopKAutoencoder,
    TruncatedSVDReducer,
)

_DECISIVE = {
    SparseNetClassifier: [
        *["hidden_layer_sizes", "learning_rate", "batch_size", "max_epochs"],
        "early_stopping",
    ],
    SparseDictionaryCoder: ["n_components", "algorithm", "alpha", "n_nonzero_coefs"],
    TruncatedSVDReducer: ["n_components", "groups", "center"],
    SparseAttentionCoder: ["n_components", "n_active", "mapping", "keys"],
    TopKAutoencoder: ["n_components", "n_nonzero_coefs", "batch_size", "max_epochs"],
    ImagePatchCoder: ["n_components", "patch_size", "algorithm", "alpha", "learner"],
    NetPruner: ["amount", "structure", "criterion", "fine_tune_epochs"],
    NetQuantizer: ["scheme", "n_bits"],
    NetFactorizer: ["rank", "fine_tune_epochs"],
}


def settings():
    """Return a row per estimator, with its defaults as code.

    Returns
    -------
    settings : DataFrame
        Only of the parameters that decide the most.
    """
    return pd.DataFrame(
        {"estimator": of.__name__, "defaults": _told(of, names)}
        for of, names in _DECISIVE.items()
    )


def _told(of, names):
    parameters = signature(of).parameters
    return ", ".join(f"{name}={parameters[name].default!r}" for name in names)
