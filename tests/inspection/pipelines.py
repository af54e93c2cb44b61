"""Pipelines whose predictions are attributed."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    NetPruner,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
    TruncatedSVDReducer,
)


def linear(**parameters):
    return SparseNetClassifier((), max_epochs=5, random_state=0, **parameters)


def deep(**parameters):
    return SparseNetClassifier(
        (16,), activation="tanh", max_epochs=5, random_state=0, **parameters
    )


def coder(algorithm="omp", **parameters):
    if parameters.get("learner", "online") is not None:
        parameters = {"max_epochs": 1} | parameters
    return SparseDictionaryCoder(24, algorithm=algorithm, random_state=0, **parameters)


def patches(algorithm="soft_threshold", **parameters):
    return ImagePatchCoder(
        8,
        image_shape=(8, 8),
        patch_size=4,
        algorithm=algorithm,
        n_patches=2000,
        max_epochs=1,
        random_state=0,
        **parameters,
    )


ALGORITHMS = {
    "omp": coder(n_nonzero_coefs=4),
    "omp split": coder(n_nonzero_coefs=4, split_sign=True),
    "lasso positive, dense": coder(
        "lasso", alpha=0.3, positive_code=True, sparse_output=False
    ),
    "ols": coder("ols", n_nonzero_coefs=4),
    "top k": coder("top_k", n_nonzero_coefs=4),
    "lasso": coder("lasso", alpha=0.3),
    "elastic net": coder("elastic_net", alpha=0.3, l1_ratio=0.6),
    "elastic net, weighted": coder(
        "elastic_net", alpha=0.3, l1_ratio=0.6, atom_weights=np.linspace(0.2, 5, 24)
    ),
    "elastic net, own scale": coder(
        "elastic_net",
        alpha=0.3,
        l1_ratio=0.6,
        learner=None,
        init=3 * np.random.default_rng(0).standard_normal((24, 64)),
    ),
    "elastic net, own scale, alpha of the data": coder(
        "elastic_net",
        learner=None,
        init=3 * np.random.default_rng(0).standard_normal((24, 64)),
    ),
    "threshold": coder("threshold", alpha=0.5),
    "soft threshold": coder("soft_threshold", alpha=0.5),
    "triangle": coder("triangle"),
    "own scale": coder(
        n_nonzero_coefs=4,
        learner=None,
        init=3 * np.random.default_rng(0).standard_normal((24, 64)),
    ),
}
ATTENTION = {
    "sparsemax": SparseAttentionCoder(16, random_state=0),
    "entmax": SparseAttentionCoder(
        16, mapping="entmax15", n_active=4, sparse_output=False, random_state=0
    ),
    "converged": SparseAttentionCoder(16, iterate=True, tol=1e-12, random_state=0),
}
ENCODERS = {
    "soft threshold": patches(),
    "threshold, mean": patches("threshold", pooling="mean"),
    "not split": patches(split_sign=False),
    "max": patches(pooling="max"),
    "max, not split": patches(pooling="max", split_sign=False),
    "triangle": patches("triangle"),
    "hard": patches("hard_assignment"),
    "omp": patches("omp", n_nonzero_coefs=2),
    "lasso": patches("lasso", alpha=0.5),
    "ols": patches("ols", n_nonzero_coefs=2),
    "top k": patches("top_k", n_nonzero_coefs=2),
    "elastic net": patches("elastic_net", alpha=0.5),
    "omp, max": patches("omp", n_nonzero_coefs=3, pooling="max"),
    "lasso, max": patches("lasso", alpha=0.1, pooling="max"),
}
AUTOENCODERS = {
    "top k": TopKAutoencoder(24, n_nonzero_coefs=4, max_epochs=3, random_state=0),
    "all": TopKAutoencoder(12, n_nonzero_coefs=99, max_epochs=3, random_state=0),
}
REPRESENTATIONS = {
    "nothing": "passthrough",
    "svd": TruncatedSVDReducer(10),
    "svd, centred and whitened": TruncatedSVDReducer(10, center=True, whiten=True),
    "svd by groups": TruncatedSVDReducer(3, groups=16),
    "pca": PCA(10, whiten=True),
    **{f"coder, {name}": made for name, made in ALGORITHMS.items()},
    **{f"patches, {name}": made for name, made in ENCODERS.items()},
    **{f"attention, {name}": made for name, made in ATTENTION.items()},
    **{f"autoencoder, {name}": made for name, made in AUTOENCODERS.items()},
}
PIPELINES = {
    **{
        f"{name}, linear": make_pipeline(made, linear())
        for name, made in REPRESENTATIONS.items()
    },
    "scalers and selectors around": make_pipeline(
        MinMaxScaler(),
        VarianceThreshold(1e-3),
        TruncatedSVDReducer(12),
        StandardScaler(),
        SelectKBest(k=8),
        MaxAbsScaler(),
        linear(),
    ),
    "patches, scaled": make_pipeline(patches(), StandardScaler(), linear()),
    "nested and frozen": make_pipeline(
        FrozenEstimator(make_pipeline(StandardScaler(), TruncatedSVDReducer(9))),
        make_pipeline(StandardScaler(), linear()),
    ),
    "deep": make_pipeline(coder(n_nonzero_coefs=4), deep()),
    "deep, kinked": make_pipeline(
        coder(n_nonzero_coefs=4),
        StandardScaler(with_mean=False),
        SparseNetClassifier((16, 12), max_epochs=5, random_state=0),
    ),
    "deep, scaled": make_pipeline(TruncatedSVDReducer(10), StandardScaler(), deep()),
    "pruned": NetPruner(make_pipeline(TruncatedSVDReducer(10), linear()), amount=0.5),
    "regressor": make_pipeline(
        TruncatedSVDReducer(10), SparseNetRegressor((), max_epochs=5, random_state=0)
    ),
}
