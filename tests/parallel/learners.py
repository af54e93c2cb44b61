"""What learns from chunks, an estimator for each way in which it does."""

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer, StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TopKAutoencoder,
    TruncatedSVDReducer,
)

CODER = SparseDictionaryCoder(6, alpha=0.3, max_epochs=2, random_state=0)

# What adds up, so that a map runs on all chunks at once.
IN_ROUNDS = {
    "svd": TruncatedSVDReducer(3),
    "svd of groups": TruncatedSVDReducer(2, groups=4, center=True, whiten=True),
    "lasso": CODER,
    "omp by mod": SparseDictionaryCoder(
        6, algorithm="omp", n_nonzero_coefs=2, learner="mod", random_state=0
    ),
    "given atoms": SparseDictionaryCoder(6, learner=None, random_state=0),
    "n_active": SparseDictionaryCoder(6, n_active=2, max_epochs=2, random_state=0),
    "attention": SparseAttentionCoder(5, random_state=0),
    "patches": ImagePatchCoder(
        4, image_shape=(4, 4), patch_size=2, max_epochs=2, random_state=0
    ),
    "clusters of patches": ImagePatchCoder(
        4, image_shape=(4, 4), patch_size=2, learner="kmeans", random_state=0
    ),
}

# What learns from one chunk after another.
IN_PASSES = {
    "autoencoder": TopKAutoencoder(6, n_nonzero_coefs=2, max_epochs=2, random_state=0),
    "classifier": SparseNetClassifier((4,), max_epochs=3, random_state=0),
    "regressor": SparseNetRegressor((), max_epochs=3, random_state=0),
    "coded": SparseNetClassifier((), coder=CODER, max_epochs=2, random_state=0),
    "scaler": StandardScaler(with_mean=False),
}

PIPELINES = {
    "codes of scaled rows": make_pipeline(
        StandardScaler(with_mean=False), CODER, MaxAbsScaler()
    ),
    "network of codes": make_pipeline(
        Normalizer(), "passthrough", CODER, SparseNetClassifier((), max_epochs=2)
    ).set_params(sparsenetclassifier__random_state=0),
}

LEARNERS = {**IN_ROUNDS, **IN_PASSES, **PIPELINES}
