"""Linear models and networks of scikit-learn, as modules of torch."""

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

from sksparse_nn.modules._linear import linear
from sksparse_nn.modules._modes import own_modes
from sksparse_nn.neural._nesting import NETWORKS

_ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


def as_module(network):
    """Return the module of a fitted network or of a model that converts to one.

    Parameters
    ----------
    network : estimator
        Fitted.

    Returns
    -------
    module : torch.nn.Module or None
        Its own module for a network of this package, otherwise that of `make_head`.
    """
    if isinstance(network, NETWORKS):
        return network.net_.module_
    return make_head(network)


def make_head(estimator):
    """Convert a fitted model of scikit-learn to a module, if possible.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    module : torch.nn.Sequential or None
        Its outputs are the decision function of a linear classifier, logits of an
        `MLPClassifier`, and predictions of a regressor, or their logarithms for
        ``MLPRegressor(loss="poisson")``. They have its float type and shape (n_samples,
        n_outputs). None if the model is neither linear nor an MLP.
    """
    if isinstance(estimator, MLPClassifier | MLPRegressor):
        layers = [
            part
            for weight, bias in zip(
                estimator.coefs_, estimator.intercepts_, strict=True
            )
            for part in (_linear(weight.T, bias), _ACTIVATIONS[estimator.activation]())
        ]
        return nn.Sequential(*layers[:-1])
    weight = getattr(estimator, "coef_", None)
    if not isinstance(weight, np.ndarray) or weight.ndim > 2:
        return None
    weight = np.atleast_2d(weight)
    bias = np.broadcast_to(getattr(estimator, "intercept_", 0.0), len(weight))
    module = nn.Sequential(_linear(weight, bias))
    return module if _is_linear(estimator, module) else None


def _linear(weight, bias):
    dtype = weight.dtype if weight.dtype in (np.float32, np.float64) else np.float64
    return linear(weight.astype(dtype), torch.from_numpy(np.array(bias, dtype)))


def _is_linear(estimator, module):
    """Return whether predictions for random samples follow from the coefficients."""
    predict = estimator.predict
    if is_classifier(estimator):
        predict = getattr(estimator, "decision_function", None)
        if predict is None:
            return False
    weight = module[0].weight.detach().numpy()
    rows = np.random.default_rng(0).standard_normal((8, weight.shape[1]))
    rows = rows.astype(weight.dtype)
    with own_modes(), torch.inference_mode():
        expected = module(torch.from_numpy(rows)).numpy()
    found = np.asarray(predict(rows)).reshape(len(rows), -1)
    scale = np.abs(expected).max(initial=0)
    tol = 1e3 * np.finfo(weight.dtype).eps * scale
    return found.shape == expected.shape and bool(np.allclose(found, expected, 0, tol))
