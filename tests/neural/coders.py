"""Coders that are tuned with a network."""

import numpy as np
from sklearn.preprocessing import normalize

from sksparse_nn import (
    SparseAttentionCoder,
    SparseDictionaryCoder,
    TruncatedSVDReducer,
)
from sksparse_nn.solvers.coding import CODERS as ALGORITHMS


def dictionary(**parameters):
    return SparseDictionaryCoder(6, max_epochs=2, random_state=0, **parameters)


# The first atoms hardly count, so that others are those to keep.
WEIGHTS = np.array([9.0, 9.0, 1.0, 0.5, 1.0, 2.0])

CODERS = {
    "lasso": dictionary(),
    "lasso of an alpha": dictionary(alpha=0.2),
    "elastic_net": dictionary(algorithm="elastic_net"),
    "omp": dictionary(algorithm="omp", n_nonzero_coefs=2),
    "ols": dictionary(algorithm="ols", n_nonzero_coefs=2),
    "threshold": dictionary(algorithm="threshold", alpha=0.2),
    "soft_threshold": dictionary(algorithm="soft_threshold", alpha=0.2),
    "top_k": dictionary(algorithm="top_k", n_nonzero_coefs=2),
    "triangle": dictionary(algorithm="triangle"),
    "weighted lasso": dictionary(alpha=0.2, atom_weights=WEIGHTS),
    "weighted thresholds": dictionary(
        algorithm="soft_threshold", alpha=0.2, atom_weights=WEIGHTS
    ),
    "lasso as an object": dictionary(
        algorithm=ALGORITHMS["lasso"](alpha=0.2, atom_weights=WEIGHTS)
    ),
    "split sign": dictionary(split_sign=True),
    "dense codes": dictionary(sparse_output=False),
    "given atoms": SparseDictionaryCoder(
        init=normalize(np.random.default_rng(0).normal(size=(6, 5))),
        learner=None,
        random_state=0,
    ),
    "sparsemax": SparseAttentionCoder(6, random_state=0),
    "entmax15": SparseAttentionCoder(6, mapping="entmax15", random_state=0),
    "SVD": TruncatedSVDReducer(2, random_state=0),
    "SVD, centred": TruncatedSVDReducer(2, center=True, random_state=0),
    "SVD, whitened": TruncatedSVDReducer(2, whiten=True, random_state=0),
    "SVD, groups": TruncatedSVDReducer(1, groups=2, random_state=0),
}

APPROXIMATE = {
    name: coder for name, coder in CODERS.items() if hasattr(coder, "inverse_transform")
}
