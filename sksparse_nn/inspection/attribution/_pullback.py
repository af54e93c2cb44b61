"""From what codes are worth to what the features behind them are worth.

Transformers of this package and scalers are, near a row, affine: codes are
``J x + o``. Worths ``g`` of codes are worths ``g J`` of features, and the products with
``x`` say how much of each code came from each feature. Codes of chosen atoms are affine
as long as the same atoms are chosen; the choice itself is taken as given.
"""

from functools import singledispatch

import numpy as np
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)

from sksparse_nn.decomposition import (
    SparseAttentionCoder,
    SparseDictionaryCoder,
    TruncatedSVDReducer,
)
from sksparse_nn.feature_extraction import ImagePatchCoder
from sksparse_nn.inspection.attribution._pullback_attention import shares_to_rows
from sksparse_nn.inspection.attribution._pullback_codes import codes_to_rows
from sksparse_nn.inspection.attribution._pullback_patches import pooled_to_pixels
from sksparse_nn.neural import TopKAutoencoder


@singledispatch
def pull_back(transformer, X, Z, worths):
    """Turn worths of a transformer's output into worths of its input.

    Parameters
    ----------
    transformer : transformer
        Fitted.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        What it was given.

    Z : {ndarray, CSR matrix} of shape (n_samples, n_outputs)
        What it made of that.

    worths : ndarray of shape (n_samples, n_targets, n_outputs)
        What a unit of each output adds to each target.

    Returns
    -------
    worths : ndarray of shape (n_samples, n_targets, n_features)
        What a unit of each feature adds.

    Raises
    ------
    TypeError
        If it is not known how the transformer works.
    """
    raise TypeError(
        f"Predictions cannot be attributed through {type(transformer).__name__}. Known "
        "are TruncatedSVDReducer, SparseDictionaryCoder, SparseAttentionCoder, "
        "ImagePatchCoder, TopKAutoencoder, PCA, TruncatedSVD, scalers and feature "
        "selectors. Where it stands ahead of the atoms, features=False does without it."
    )


@pull_back.register
def _through_standard_scaler(transformer: StandardScaler, X, Z, worths):
    return worths if transformer.scale_ is None else worths / transformer.scale_


@pull_back.register
def _through_robust_scaler(transformer: RobustScaler, X, Z, worths):
    return worths if transformer.scale_ is None else worths / transformer.scale_


@pull_back.register
def _through_max_abs_scaler(transformer: MaxAbsScaler, X, Z, worths):
    return worths / transformer.scale_


@pull_back.register
def _through_min_max_scaler(transformer: MinMaxScaler, X, Z, worths):
    if transformer.clip:
        low, high = transformer.feature_range
        scaled = np.asarray(X, np.float64) * transformer.scale_ + transformer.min_
        worths = worths * ((scaled >= low) & (scaled <= high))[:, None]
    return worths * transformer.scale_


@pull_back.register
def _through_normalizer(transformer: Normalizer, X, Z, worths):
    X = sparse.csr_array(X, dtype=np.float64)
    norms = {
        "l1": abs(X).sum(axis=1),
        "l2": np.sqrt(X.multiply(X).sum(axis=1)),
        "max": abs(X).max(axis=1).toarray(),
    }[transformer.norm]
    norms = np.asarray(norms, dtype=np.float64).ravel()
    return worths / np.where(norms > 0, norms, 1)[:, None, None]


@pull_back.register
def _through_tfidf_transformer(transformer: TfidfTransformer, X, Z, worths):
    """Count by count: what a row is divided by is taken as given."""
    counts, values = sparse.csr_array(X, copy=True), sparse.csr_array(Z)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    ratios = np.zeros(counts.shape)
    for i in range(counts.shape[0]):
        row, made = counts[[i]], values[[i]]
        ratios[i, row.indices] = made.toarray()[0, row.indices] / row.data
    return worths * ratios[:, None, :]


@pull_back.register
def _through_selector_mixin(transformer: SelectorMixin, X, Z, worths):
    wide = np.zeros((*worths.shape[:2], X.shape[1]))
    wide[:, :, transformer.get_support()] = worths
    return wide


@pull_back.register
def _through_pca(transformer: PCA, X, Z, worths):
    if transformer.whiten:
        worths = worths / np.sqrt(transformer.explained_variance_)
    return worths @ transformer.components_


@pull_back.register
def _through_truncatedsvd(transformer: TruncatedSVD, X, Z, worths):
    return worths @ transformer.components_


@pull_back.register
def _through_truncatedsvd_reducer(transformer: TruncatedSVDReducer, X, Z, worths):
    if transformer.whiten:
        scale = np.sqrt(transformer.explained_variance_)
        worths = worths / np.where(scale > 0, scale, np.inf)
    return worths @ transformer.components_.astype(np.float64)


@pull_back.register
def _through_sparse_dictionary_coder(transformer: SparseDictionaryCoder, X, Z, worths):
    return codes_to_rows(transformer, X, Z, worths)


@pull_back.register
def _through_image_patch_coder(transformer: ImagePatchCoder, X, Z, worths):
    return pooled_to_pixels(transformer, X, worths)


@pull_back.register
def _through_sparse_attention_coder(transformer: SparseAttentionCoder, X, Z, worths):
    return shares_to_rows(transformer, Z, worths)


@pull_back.register
def _through_topk_autoencoder(transformer: TopKAutoencoder, X, Z, worths):
    """Code by code: which latents are the largest is taken as given."""
    is_active = (Z.toarray() if sparse.issparse(Z) else Z) != 0
    weights = transformer.encoder_weights_.astype(np.float64)
    return (worths * is_active[:, None]) @ weights
