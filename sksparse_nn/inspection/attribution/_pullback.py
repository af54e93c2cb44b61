"""Attributions of codes, passed back to the features behind them.

Transformers of this package and scalers are, near a row, affine: codes are
``J x + o``. Attributions ``g`` per unit of a code become ``g J`` per unit of a feature,
and the product with ``x`` is the contribution of each feature. Codes of chosen atoms
are affine as long as the same atoms are chosen; the choice is held fixed.
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
from sksparse_nn.inspection.attribution._pullback_attention import pull_shares_back
from sksparse_nn.inspection.attribution._pullback_codes import pull_codes_back
from sksparse_nn.inspection.attribution._pullback_patches import pull_pooled_back
from sksparse_nn.modules._facts import is_known
from sksparse_nn.neural import TopKAutoencoder


@singledispatch
def pull_back(transformer, X, Z, attributions):
    """Pass attributions of a transformer's output back to its input.

    Parameters
    ----------
    transformer : transformer
        Fitted.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the transformer.

    Z : {ndarray, CSR matrix} of shape (n_samples, n_outputs)
        Output of the transformer.

    attributions : ndarray of shape (n_samples, n_targets, n_outputs)
        Contribution of each output to each target, per unit.

    Returns
    -------
    attributions : ndarray of shape (n_samples, n_targets, n_features)
        Contribution of each feature, per unit.

    Raises
    ------
    TypeError
        If the transformer is not supported.
    """
    raise _unsupported(transformer, "Use features=False, as it is ahead of the atoms.")


def check_behind_atoms(transformers):
    """Raise unless attributions can be pulled back through the steps behind the atoms.

    Parameters
    ----------
    transformers : list of transformer
        The steps.

    Raises
    ------
    TypeError
        If one is not supported.
    """
    for transformer in transformers:
        if not is_known(pull_back, transformer):
            raise _unsupported(
                transformer,
                "Put the coder into the pipeline itself, with only such steps and the "
                "network behind it.",
            )


def _unsupported(transformer, advice):
    return TypeError(
        f"Predictions cannot be attributed through {type(transformer).__name__}. "
        "Supported are TruncatedSVDReducer, SparseDictionaryCoder, "
        "SparseAttentionCoder, ImagePatchCoder, TopKAutoencoder, PCA, TruncatedSVD, "
        f"scalers and feature selectors. {advice}"
    )


@pull_back.register
def _through_standard_scaler(transformer: StandardScaler, X, Z, attributions):
    return (
        attributions
        if transformer.scale_ is None
        else attributions / transformer.scale_
    )


@pull_back.register
def _through_robust_scaler(transformer: RobustScaler, X, Z, attributions):
    return (
        attributions
        if transformer.scale_ is None
        else attributions / transformer.scale_
    )


@pull_back.register
def _through_max_abs_scaler(transformer: MaxAbsScaler, X, Z, attributions):
    return attributions / transformer.scale_


@pull_back.register
def _through_min_max_scaler(transformer: MinMaxScaler, X, Z, attributions):
    if transformer.clip:
        low, high = transformer.feature_range
        scaled = np.asarray(X, np.float64) * transformer.scale_ + transformer.min_
        attributions = attributions * ((scaled >= low) & (scaled <= high))[:, None]
    return attributions * transformer.scale_


@pull_back.register
def _through_normalizer(transformer: Normalizer, X, Z, attributions):
    X = sparse.csr_array(X, dtype=np.float64)
    norms = {
        "l1": abs(X).sum(axis=1),
        "l2": np.sqrt(X.multiply(X).sum(axis=1)),
        "max": abs(X).max(axis=1).toarray(),
    }[transformer.norm]
    norms = np.asarray(norms, dtype=np.float64).ravel()
    return attributions / np.where(norms > 0, norms, 1)[:, None, None]


@pull_back.register
def _through_tfidf_transformer(transformer: TfidfTransformer, X, Z, attributions):
    """Pass attributions back count by count; the norm of a row is held fixed."""
    counts, values = sparse.csr_array(X, copy=True), sparse.csr_array(Z)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    ratios = np.zeros(counts.shape)
    for i in range(counts.shape[0]):
        row, made = counts[[i]], values[[i]]
        ratios[i, row.indices] = made.toarray()[0, row.indices] / row.data
    return attributions * ratios[:, None, :]


@pull_back.register
def _through_selector_mixin(transformer: SelectorMixin, X, Z, attributions):
    wide = np.zeros((*attributions.shape[:2], X.shape[1]))
    wide[:, :, transformer.get_support()] = attributions
    return wide


@pull_back.register
def _through_pca(transformer: PCA, X, Z, attributions):
    if transformer.whiten:
        attributions = attributions / np.sqrt(transformer.explained_variance_)
    return attributions @ transformer.components_


@pull_back.register
def _through_truncatedsvd(transformer: TruncatedSVD, X, Z, attributions):
    return attributions @ transformer.components_


@pull_back.register
def _through_truncatedsvd_reducer(transformer: TruncatedSVDReducer, X, Z, attributions):
    if transformer.whiten:
        scale = np.sqrt(transformer.explained_variance_)
        attributions = attributions / np.where(scale > 0, scale, np.inf)
    return attributions @ transformer.components_.astype(np.float64)


@pull_back.register
def _through_sparse_dictionary_coder(
    transformer: SparseDictionaryCoder, X, Z, attributions
):
    return pull_codes_back(transformer, X, Z, attributions)


@pull_back.register
def _through_image_patch_coder(transformer: ImagePatchCoder, X, Z, attributions):
    return pull_pooled_back(transformer, X, attributions)


@pull_back.register
def _through_sparse_attention_coder(
    transformer: SparseAttentionCoder, X, Z, attributions
):
    return pull_shares_back(transformer, Z, attributions)


@pull_back.register
def _through_topk_autoencoder(transformer: TopKAutoencoder, X, Z, attributions):
    """Pass attributions back per code; the choice of latents is held fixed."""
    is_active = (Z.toarray() if sparse.issparse(Z) else Z) != 0
    weights = transformer.encoder_weights_.astype(np.float64)
    return (attributions * is_active[:, None]) @ weights
