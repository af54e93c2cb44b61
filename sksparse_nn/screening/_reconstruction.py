"""A detector of rows that a transformer cannot reconstruct."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OutlierMixin, clone

# Every so many rows one is held out.
_HELD_OUT = 5

# Rows that are reconstructed together.
_BLOCK = 1000

# Relative rounding of float32, with room for sums: smaller errors are none.
_ROUNDING = 1e-6


class ReconstructionDetector(OutlierMixin, BaseEstimator):
    """Judge rows by the error of their reconstruction.

    The transformer is fitted on four fifths of the rows, and the errors of the others
    say which errors are usual.

    Parameters
    ----------
    transformer : transformer
        Has an `inverse_transform`.

    quantile : float
        Share of held-out rows that may have larger errors.

    scale : ndarray of shape (n_features,) or None
        Unit of each column.
    """

    def __init__(self, transformer, quantile, scale=None):
        self.transformer = transformer
        self.quantile = quantile
        self.scale = scale

    def fit(self, X, y=None):
        """Fit the transformer, and measure errors of held-out rows.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.

        y : None
            Not used.

        Returns
        -------
        self : ReconstructionDetector
            Fitted.

        Raises
        ------
        ValueError
            If there is no row to hold out.
        """
        if X.shape[0] < _HELD_OUT:
            raise ValueError(
                f"A reconstruction needs {_HELD_OUT} rows or more, one of them to hold "
                f"out. Got n_samples = {X.shape[0]}; set detector=None."
            )
        is_held = np.arange(X.shape[0]) % _HELD_OUT == _HELD_OUT - 1
        self.transformer_ = clone(self.transformer).fit(self._scaled(X[~is_held]))
        errors = self._measure_errors(X[is_held])
        limit = np.quantile(errors, 1 - self.quantile, method="higher")
        self.offset_ = -float(limit) * (1 + _ROUNDING)
        return self

    def score_samples(self, X):
        """Return the opposite of the errors.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Opposite of the distance of each row from its reconstruction.
        """
        return -self._measure_errors(X)

    def decision_function(self, X):
        """Return the scores above that of the limit.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
            Negative for rows whose error is larger than usual.
        """
        return self.score_samples(X) - self.offset_

    def _scaled(self, X):
        if self.scale is None:
            return X
        if sparse.issparse(X):
            return sparse.csr_array(X @ sparse.diags_array(1 / self.scale))
        return X / self.scale

    def _measure_errors(self, X):
        errors = np.empty(X.shape[0])
        for start in range(0, X.shape[0], _BLOCK):
            rows = self._scaled(X[start : start + _BLOCK])
            codes = self.transformer_.transform(rows)
            rebuilt = self.transformer_.inverse_transform(codes)
            if sparse.issparse(rows):  # a block of rows is dense at a time
                rows = rows.toarray()
            apart = np.asarray(rows - rebuilt, dtype=np.float64)
            found = np.linalg.norm(apart, axis=1)
            size = np.linalg.norm(rows, axis=1)
            errors[start : start + _BLOCK] = np.where(
                found > _ROUNDING * size, found, 0
            )
        return errors
