"""Base class of compressors, which fit an estimator and make its network smaller."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Self

import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet

from sksparse_nn._callbacks import CallbackSupportMixin, fit_task
from sksparse_nn._documented import Documented
from sksparse_nn._methods import available_if, fits_others
from sksparse_nn._picked_rows import PickedRows
from sksparse_nn._pipelines import last_step, transform_ahead
from sksparse_nn._progress import ProgressLines
from sksparse_nn._saved import Saved
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn._validation import restored_on_error
from sksparse_nn.compression._last_network import (
    check_compressible,
    check_data,
    open_network,
)
from sksparse_nn.compression._networks import check_finite, check_layers
from sksparse_nn.modules._modes import own_modes
from sksparse_nn.neural._batches import TrainingSamples
from sksparse_nn.neural._nesting import NETWORKS, RoutesFit, fit_copy


def _inner_has(method):
    def has(self):
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return has


class Compressor(
    CallbackSupportMixin,
    RoutesFit,
    MetaEstimatorMixin,
    Saved,
    Documented,
    BaseEstimator,
    ABC,
):
    """An estimator that wraps another and makes its network smaller."""

    # Marks compressors for `_pipelines`, which cannot import them.
    _is_compressor = True

    # Epochs of training behind the compression.
    _n_tuning_epochs = 0

    # Whether making the network smaller needs targets.
    _reads_targets = False

    # Compressors use the weights too.
    __metadata_request__fit = {"sample_weight": True}

    @fits_others
    def fit(
        self,
        X: MatrixLike,
        y: MatrixLike | None = None,
        sample_weight: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit the estimator, and make its network smaller.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples. A net of skorch takes an array or tensor of any shape.

        y : {array-like, sparse matrix} of shape (n_samples,) or \
                (n_samples, n_outputs), default=None
            Targets. None will do for a frozen estimator if there is no training on
            them afterwards, and no criterion that needs them.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. Nets of skorch take none.

        **fit_params : dict
            Further parameters of the estimator's `fit`, such as `X_val` and `y_val`.
            With ``enable_metadata_routing`` they are routed as requested, and so are
            the weights.

        Returns
        -------
        self : object
            The fitted compressor.

        Raises
        ------
        TypeError
            If the estimator does not end in a network, or the network has weights
            outside linear layers, convolutions and layers of codes; for a net of skorch
            also if it has several modules or inputs, or there are weights of samples.
        ValueError
            If the network was compressed before in a way that this would undo, a weight
            is not finite, a parameter is set that nothing reads, or targets are needed
            and there are none.
        """
        # Tensors made in the caller's inference mode could not be trained.
        kept, modes = restored_on_error(self), own_modes()
        whole = fit_task(self, 2, X, y, sample_weight)
        with (
            whole as task,
            kept,
            modes,
            torch.inference_mode(False),
            torch.enable_grad(),
        ):
            self._validate_params()
            self._check_parameters()
            name = type(self).__name__
            check_compressible(self.estimator, name)
            check_data(self.estimator, X, sample_weight, name)
            check_structure(X)
            check_structure(y, "y")
            self._check_targets(y)
            report = ProgressLines(name, self.verbose)
            fitted = fit_copy(self, task, X, y, sample_weight, **fit_params)
            report(f"fitted {type(fitted).__name__}")
            fitted, network, data = open_network(fitted, X, y, sample_weight, name)
            check_layers(network.net_.module_, name)
            check_finite(network.net_.module_, name)
            self._check_kind(network)
            n_tasks = self._n_tuning_epochs
            with _hide_names(network), task.subtask("compress", n_tasks) as compress:
                report.task = compress
                self._compress(network, data, report)
            if isinstance(network, NETWORKS):
                network._store_coder(_as_training_samples(data[0], data[2]))
            report("made its network smaller")
            self.estimator_ = fitted
            for name in ("classes_", "n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
                if hasattr(fitted, name):
                    setattr(self, name, getattr(fitted, name))
        return self

    def _check_targets(self, y):
        if y is None and self._reads_targets:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None: training on it afterwards and gradients of the "
                "loss need targets. With distill=True training needs none."
            )

    def _check_parameters(self):
        """Raise if a parameter is set that nothing reads."""
        if getattr(self, "distill", False) and not self.fine_tune_epochs:
            raise ValueError(
                "distill is read in the epochs of fine-tuning. Got distill=True with "
                "fine_tune_epochs=0; set fine_tune_epochs."
            )

    @abstractmethod
    def _check_kind(self, network):
        """Raise if compression would undo that of the layers of a network."""

    @abstractmethod
    def _compress(self, network, data, report):
        """Make the module of a fitted network smaller, in place.

        `data` is a tuple of its input, the targets, and weights or None.
        """

    def predict(self, X: MatrixLike) -> NDArray:
        """Predict labels or numbers with the smaller network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions of the fitted estimator.
        """
        return self._check_fitted(X).predict(X)

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X: MatrixLike) -> NDArray:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Probabilities from the fitted estimator.
        """
        return self._check_fitted(X).predict_proba(X)

    @available_if(_inner_has("predict_log_proba"))
    def predict_log_proba(self, X: MatrixLike) -> NDArray:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Log probabilities from the fitted estimator.
        """
        return self._check_fitted(X).predict_log_proba(X)

    @available_if(_inner_has("decision_function"))
    def decision_function(self, X: MatrixLike) -> NDArray:
        """Return the confidence scores of the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        decisions : ndarray of shape (n_samples, n_classes) or (n_samples,)
            Scores from the fitted estimator.
        """
        return self._check_fitted(X).decision_function(X)

    @property
    def feature_importances_(self) -> NDArray:
        """Importance of each input feature of the smaller network.

        Returns
        -------
        importances : ndarray of shape (n_features_in_,)
            Importances from the fitted estimator.
        """
        check_is_fitted(self)
        return self.estimator_.feature_importances_

    @available_if(_inner_has("score"))
    def score(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy, or for a regressor the coefficient of determination.

        With several labels per sample, all of them must be right.

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
            The score.
        """
        check_structure(y, "y")
        last = last_step(self._check_fitted(X))
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        if isinstance(last, NeuralNet):  # its own score may read more than predictions
            return last.score(transform_ahead(self.estimator_, X), y, **weight)
        return last.__class__.score(self, X, y, sample_weight=sample_weight)

    def _check_fitted(self, X):
        # The check takes longer than the prediction of one sample.
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


def _as_training_samples(X, sample_weight):
    if isinstance(X, PickedRows):
        return TrainingSamples(X.whole, weight=sample_weight, rows=X.rows)
    return TrainingSamples(X, weight=sample_weight)


@contextmanager
def _hide_names(network):
    """Hide the feature names of a network, for input that has lost its names."""
    names = vars(network).pop("feature_names_in_", None)
    try:
        yield
    finally:
        if names is not None:
            network.feature_names_in_ = names
