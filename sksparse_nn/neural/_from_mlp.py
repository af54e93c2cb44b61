"""MLPs of scikit-learn as networks of this package."""

import numpy as np
import torch
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.utils.validation import _check_sample_weight

from sksparse_nn.modules._facts import is_linear
from sksparse_nn.neural._batches import TrainingSamples
from sksparse_nn.neural._classifier import SparseNetClassifier
from sksparse_nn.neural._construction import make_net
from sksparse_nn.neural._regressor import SparseNetRegressor
from sksparse_nn.neural._targets import Classes, Indicators, Numbers, make_loss
from sksparse_nn.neural._torch_state import borrow_torch

# Rows per batch of an MLP where its `batch_size` is "auto".
_BATCH = 200


def network_of_mlp(mlp, y, sample_weight):
    """Return the network of this package that predicts what an MLP predicts.

    Parameters
    ----------
    mlp : MLPClassifier or MLPRegressor
        Fitted. It does not change.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
        Its targets, where they are known.

    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    network : SparseNetClassifier or SparseNetRegressor
        Fitted, with copies of the weights. It is trained further on the same loss, at
        the same learning rate.
    """
    network = _describe(mlp)
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(mlp, name):
            setattr(network, name, getattr(mlp, name))
    network._targets = _targets_of(mlp, y)
    network.n_outputs_ = network._targets.n_outputs
    if is_classifier(mlp):
        network.classes_ = network._targets.classes
    network._renew_random_state(True)
    network._seen = _sum_weights(network._targets, y, sample_weight)
    network.net_ = _make_net(network, mlp)
    network.net_.targets_ = network._targets
    network.history_ = {"epoch": np.empty(0, dtype=int), "train_loss": np.empty(0)}
    network.n_iter_ = 0
    return network


def _describe(mlp):
    """Return an unfitted network of the same layers and settings."""
    size = _BATCH if mlp.batch_size == "auto" else mlp.batch_size
    settings = {
        "hidden_layer_sizes": tuple(weight.shape[1] for weight in mlp.coefs_[:-1]),
        "activation": mlp.activation,
        "optimizer": "sgd" if mlp.solver == "sgd" else "adam",
        "learning_rate": mlp.learning_rate_init,
        "weight_decay": mlp.alpha / size,
        "batch_size": size,
        "max_epochs": mlp.max_iter,
        "random_state": mlp.random_state,
    }
    if is_classifier(mlp):
        return SparseNetClassifier(**settings)
    return SparseNetRegressor(**settings, loss=mlp.loss)


def _targets_of(mlp, y):
    if not is_classifier(mlp):
        return _numbers_of(mlp)
    if mlp._label_binarizer.y_type_.startswith("multilabel"):
        if y is None:
            y = np.zeros((1, mlp.n_outputs_), dtype=int)
        return Indicators.like(y if sparse.issparse(y) else np.asarray(y))
    return Classes(mlp.classes_)


def _numbers_of(mlp):
    """Return targets in their own unit, which an MLP does not standardise."""
    loss = make_loss(mlp.loss, quantile=None, epsilon=None)
    dtype = "float32" if mlp.coefs_[0].dtype == np.float32 else "float64"
    n_outputs = mlp.n_outputs_
    offset = np.full(n_outputs, 1.0 if mlp.loss == "poisson" else 0.0)
    scale = np.ones(n_outputs)
    return Numbers(loss, n_outputs, n_outputs == 1, dtype, offset, scale)


def _sum_weights(targets, y, sample_weight):
    if y is None:
        return targets.start_sums()
    y = y if sparse.issparse(y) else np.asarray(y)
    y = targets.read(y.ravel() if isinstance(targets, Classes) else y)
    weight = _check_sample_weight(sample_weight, y)
    counts = weight > 0
    return targets.add_to_sums(targets.start_sums(), y[counts], weight[counts])


def _make_net(network, mlp):
    rows = np.zeros((1, mlp.n_features_in_), mlp.coefs_[0].dtype)
    cpu = torch.device("cpu")
    with borrow_torch(network._seed, cpu):
        size = network.batch_size
        net = make_net(network, TrainingSamples(rows), batch_size=size, device=cpu)
        layers = filter(is_linear, net.module_)
        with torch.no_grad():
            for layer, weight, bias in zip(layers, *_weights(mlp), strict=True):
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias))
    net.module_.eval()
    return net


def _weights(mlp):
    """Return weights and biases, with a logit for each of two classes."""
    weights, biases = list(mlp.coefs_), list(mlp.intercepts_)
    if is_classifier(mlp) and mlp.n_outputs_ < len(mlp.classes_):
        halves = np.array([[-0.5, 0.5]], weights[-1].dtype)
        weights[-1], biases[-1] = weights[-1] * halves, biases[-1] * halves[0]
    return weights, biases
