"""The network that an estimator ends in: find it, feed it, fit it."""

from copy import deepcopy

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sksparse_nn.neural._classifier import SparseNetClassifier
from sksparse_nn.neural._regressor import SparseNetRegressor

NETWORKS = SparseNetClassifier, SparseNetRegressor


def last_step(estimator):
    """Return the estimator that a pipeline, or a frame around an estimator, ends in.

    Parameters
    ----------
    estimator : estimator
        A network, a pipeline, a frozen or a compressed estimator, in any nesting.

    Returns
    -------
    network : estimator
        What is left when all of these are taken off.
    """
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif is_frame(estimator):
            estimator = inside(estimator)
        else:
            return estimator


def is_frame(estimator):
    """Tell whether an estimator only stands around another.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    is_frame : bool
        Whether it is a compressor or frozen.
    """
    return isinstance(estimator, FrozenEstimator) or hasattr(
        estimator, "_is_compressor"
    )


def inside(frame):
    """Return what a frame is around.

    Parameters
    ----------
    frame : estimator
        A compressor or a frozen estimator.

    Returns
    -------
    estimator : estimator
        The smaller one, if a compressor is fitted.
    """
    if isinstance(frame, FrozenEstimator):
        return frame.estimator
    return getattr(frame, "estimator_", frame.estimator)


def network_input(estimator, X):
    """Return what the network of a fitted estimator is given.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        What the estimator is given.

    Returns
    -------
    Z : {array-like, sparse matrix} of shape (n_samples, n_inputs)
        `X` behind all the transformers.
    """
    while True:
        if isinstance(estimator, Pipeline):
            X = estimator[:-1].transform(X) if len(estimator) > 1 else X
            estimator = estimator.steps[-1][1]
        elif is_frame(estimator):
            estimator = inside(estimator)
        else:
            return X


def fitted_copy(estimator, X, y, sample_weight=None):
    """Return a fitted copy that may be changed.

    Parameters
    ----------
    estimator : estimator
        A frozen one is copied as it is, any other is cloned and fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        What to fit it to.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        Targets.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    fitted : estimator
        The copy; of a frozen estimator, of what is in it.
    """
    if isinstance(estimator, FrozenEstimator):
        check_is_fitted(estimator)
        return deepcopy(estimator.estimator)
    weights = {} if sample_weight is None else _weights(estimator, sample_weight)
    return clone(estimator).fit(X, y, **weights)


def _weights(estimator, sample_weight):
    """Name the weights as an estimator, or a pipeline's last step, takes them."""
    name = "sample_weight"
    while isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        name = f"{step}__{name}"
    assert has_fit_parameter(estimator, "sample_weight")
    return {name: sample_weight}
