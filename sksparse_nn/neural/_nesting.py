"""Estimators that wrap others: route the arguments of `fit`, and fit a copy."""

from __future__ import annotations

from copy import deepcopy

from sklearn import get_config
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted

from sksparse_nn._pipelines import has_frozen, is_search
from sksparse_nn.neural._classifier import SparseNetClassifier
from sksparse_nn.neural._regressor import SparseNetRegressor

NETWORKS = SparseNetClassifier, SparseNetRegressor


class RoutesFit:
    """An estimator that wraps another and passes on the arguments of `fit`."""

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata are passed where.

        Returns
        -------
        routing : MetadataRouter
            Requests of `fit`, of the inner estimator and of this one.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        if isinstance(self.estimator, FrozenEstimator):
            return router
        return router.add(
            estimator=self.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )


def fit_copy(owner, task, X, y, sample_weight=None, **fit_params):
    """Return a fitted copy of the inner estimator, which may be modified.

    Parameters
    ----------
    owner : estimator
        Holder of the ``estimator``. A frozen one is copied as it is, any other is
        cloned and fitted.

    task : Task
        The task of the owner's fit, of which that fit is a subtask.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        Targets.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    **fit_params : dict
        Further arguments of `fit`. With metadata routing each is passed where it is
        requested; otherwise all are passed to the estimator, and the weights to its
        network.

    Returns
    -------
    fitted : estimator
        The copy; of the inner one if the estimator is frozen.
    """
    estimator = owner.estimator
    if isinstance(estimator, FrozenEstimator):
        check_is_fitted(estimator)
        return deepcopy(estimator.estimator)
    if sample_weight is not None:
        fit_params["sample_weight"] = sample_weight
    if get_config()["enable_metadata_routing"]:
        fit_params = process_routing(owner, "fit", **fit_params).estimator.fit
    elif sample_weight is not None:
        name = _name_of_weights(estimator)
        fit_params[name] = fit_params.pop("sample_weight")
    fitted = clone(estimator)
    with task.lend("fit-estimator", fitted):
        fitted.fit(X, y, **fit_params)
    return deepcopy(fitted) if has_frozen(fitted) else fitted


def _name_of_weights(estimator):
    """Return the argument name that passes the weights to the last step."""
    if isinstance(estimator, Pipeline):
        name, step = estimator.steps[-1]
        return f"{name}__{_name_of_weights(step)}"
    if is_search(estimator):
        return _name_of_weights(estimator.estimator)
    return "sample_weight"
