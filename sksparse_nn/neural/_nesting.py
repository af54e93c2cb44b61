"""Estimators around others: hand on what `fit` is given, and fit a copy."""

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

from sksparse_nn._pipelines import holds_frozen, is_search
from sksparse_nn.neural._classifier import SparseNetClassifier
from sksparse_nn.neural._regressor import SparseNetRegressor

NETWORKS = SparseNetClassifier, SparseNetRegressor


class RoutesFit:
    """An estimator around another, which hands on what `fit` is given."""

    def get_metadata_routing(self):
        """Say which metadata go where.

        Returns
        -------
        routing : MetadataRouter
            What `fit` of the estimator inside requests, and what this one does.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        if isinstance(self.estimator, FrozenEstimator):
            return router
        return router.add(
            estimator=self.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )


def fit_copy(owner, X, y, sample_weight=None, **fit_params):
    """Return a fitted copy of the estimator in another, which may be changed.

    Parameters
    ----------
    owner : estimator
        What the ``estimator`` is in. A frozen one is copied as it is, any other is
        cloned and fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        What to fit it to.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        Targets.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    **fit_params : dict
        More of what `fit` takes. With metadata routing each goes where it is requested;
        otherwise all go to the estimator, and the weights to the network in it.

    Returns
    -------
    fitted : estimator
        The copy; of a frozen estimator, of what is in it.
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
    fitted = clone(estimator).fit(X, y, **fit_params)
    return deepcopy(fitted) if holds_frozen(fitted) else fitted


def _name_of_weights(estimator):
    """Return how the weights have to be called for the last step to get them."""
    if isinstance(estimator, Pipeline):
        name, step = estimator.steps[-1]
        return f"{name}__{_name_of_weights(step)}"
    if is_search(estimator):
        return _name_of_weights(estimator.estimator)
    return "sample_weight"
