"""What the transformers share: tags, the width of their output, and the way back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._documented import Documented
from sksparse_nn._saved import Saved
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import check_codes

# What has a number per feature in each row.
_OF_FEATURES = "components_", "keys_", "encoder_weights_"


class FloatTransformer(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    Saved,
    Documented,
    BaseEstimator,
):
    """Base of transformers that take CSR matrices and keep either float type."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class AtomsTransformer(FloatTransformer):
    """Base of transformers whose codes say how much of each atom a sample has.

    A subclass has a fitted attribute `components_`, one atom per row. What codes stand
    for besides a sum of atoms, it says in `_reconstruct`.
    """

    def __setstate__(self, state):
        _check_widths(type(self).__name__, state)
        super().__setstate__(state)

    def inverse_transform(self, X: MatrixLike) -> NDArray:
        """Reconstruct samples from codes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            Sums of atoms.

        Raises
        ------
        ValueError
            If the width is not that of the codes.
        """
        check_is_fitted(self)
        return self._reconstruct(check_codes(X, self._n_features_out))

    def _reconstruct(self, codes):
        return codes @ self.components_.astype(codes.dtype, copy=False)

    @property
    def _n_features_out(self):
        return len(self.components_)


def _check_widths(name, state):
    """Raise if saved atoms are narrower than samples, beyond which loops would read."""
    n_features = state.get("n_features_in_")
    for what in _OF_FEATURES:
        shape = np.shape(state.get(what))
        if n_features is not None and len(shape) == 2 and shape[1] != n_features:
            raise ValueError(
                f"{what} of a saved {name} must have n_features_in_={n_features} "
                f"columns. Got shape {shape}; the file is damaged or forged."
            )
