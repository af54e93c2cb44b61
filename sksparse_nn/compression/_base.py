"""What all compressors share: fit an estimator, shrink its network, stand in for it."""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._pipelines import last_step, transform_ahead
from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._validation import check_rows, counting_rows, restored_on_error
from sksparse_nn.compression._networks import check_compressible, check_layers
from sksparse_nn.neural._nesting import RoutesFit, fit_copy


def _inner_has(method):
    def has(self):
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return has


class Compressor(RoutesFit, MetaEstimatorMixin, BaseEstimator, ABC):
    """An estimator around another whose network it makes smaller."""

    # Known by this to what takes frames around a network off again.
    _is_compressor = True

    # Rows are weighed here, too.
    __metadata_request__fit = {"sample_weight": True}

    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit the estimator, and make its network smaller.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        **fit_params : dict
            What else the estimator's `fit` takes, such as `X_val` and `y_val`. With
            ``enable_metadata_routing`` each goes where it is requested, the weights
            too.

        Returns
        -------
        self : object
            The fitted compressor.

        Raises
        ------
        TypeError
            If there is no network at the end of the estimator, or it has weights
            outside linear layers.
        ValueError
            If the network was compressed before in a way that this would undo.
        """
        # What is made in the caller's inference mode could not be trained.
        with restored_on_error(self), torch.inference_mode(False), torch.enable_grad():
            self._validate_params()
            check_compressible(self.estimator, type(self).__name__)
            check_structure(X)
            check_structure(y, "y")
            report = ProgressLines(type(self).__name__, self.verbose)
            fitted = fit_copy(self, X, y, sample_weight, **fit_params)
            report(f"fitted {type(fitted).__name__}")
            network = last_step(fitted)
            Z = check_rows(network, transform_ahead(fitted, X), reset=False)
            check_layers(network.net_.module_, type(self).__name__)
            self._check_kind(network)
            with _without_names(network):
                self._compress(network, _counting(Z, y, sample_weight))
            report("made its network smaller")
            self.estimator_ = fitted
            for name in ("classes_", "n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
                if hasattr(fitted, name):
                    setattr(self, name, getattr(fitted, name))
        return self

    @abstractmethod
    def _check_kind(self, network):
        """Refuse a network whose layers this would undo."""

    @abstractmethod
    def _compress(self, network, data):
        """Make the module of a fitted network smaller, in place.

        `data` are the rows that it is given, their targets, and weights or None.
        """

    def predict(self, X):
        """Return the labels or numbers that the smaller network answers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As the estimator's own `predict`.
        """
        return self._fitted(X).predict(X)

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X):
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            As the estimator's own.
        """
        return self._fitted(X).predict_proba(X)

    @available_if(_inner_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            As the estimator's own.
        """
        return self._fitted(X).predict_log_proba(X)

    @available_if(_inner_has("decision_function"))
    def decision_function(self, X):
        """Return how sure the smaller network is of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        decisions : ndarray of shape (n_samples, n_classes) or (n_samples,)
            As the estimator's own.
        """
        return self._fitted(X).decision_function(X)

    @property
    def feature_importances_(self):
        """Measure how much each input feature of the smaller network counts.

        Returns
        -------
        importances : ndarray of shape (n_features_in_,)
            As the estimator's own.
        """
        check_is_fitted(self)
        return self.estimator_.feature_importances_

    def score(self, X, y, sample_weight=None):
        """Return the accuracy, or for numbers the coefficient of determination.

        Of several labels the share of the samples for which all of them are right.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            As the estimator's own.
        """
        check_structure(y, "y")
        return last_step(self._fitted(X)).__class__.score(
            self, X, y, sample_weight=sample_weight
        )

    def _fitted(self, X):
        # The check itself takes longer than a row.
        if not hasattr(self, "estimator_"):
            check_is_fitted(self)
        check_structure(X)
        return self.estimator_

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.target_tags = inner.target_tags
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        return tags


@contextmanager
def _without_names(network):
    """Let a network take rows that were checked, and have lost their names."""
    names = vars(network).pop("feature_names_in_", None)
    try:
        yield
    finally:
        if names is not None:
            network.feature_names_in_ = names


def _counting(X, y, sample_weight):
    """Leave out the rows that do not count."""
    if sample_weight is None:
        return X, y, None
    kept, weights = counting_rows(X, sample_weight)
    y = y.tocsr() if sparse.issparse(y) else np.asarray(y)
    return X[kept], y[kept], weights
