"""The network in a fitted estimator: rows as it takes them, its layers, its answers."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_array
from skorch import NeuralNet

from sksparse_nn._pipelines import last_step, transform_ahead
from sksparse_nn._validation import check_rows
from sksparse_nn.modules._hooks import watch_activation
from sksparse_nn.modules._run import run
from sksparse_nn.neural._nesting import NETWORKS


def check_network(estimator, name):
    """Refuse what does not end in a network.

    Parameters
    ----------
    estimator : estimator
        What a user wants to look into.

    name : str
        Of what looks, for the error.

    Raises
    ------
    TypeError
        If there is no network at its end.
    """
    found = last_step(estimator)
    if not isinstance(found, (*NETWORKS, NeuralNet)):
        raise TypeError(
            f"{name} takes a SparseNetClassifier, a SparseNetRegressor or a net of "
            "skorch, or a Pipeline, search, FrozenEstimator or compressor that ends in "
            "one. "
            f"Got {type(found).__name__}."
        )


def check_positions(positions):
    """Refuse values of `positions` that mean nothing.

    Parameters
    ----------
    positions : object
        As given.

    Raises
    ------
    ValueError
        If it is neither a bool nor "channels_last".
    """
    if not isinstance(positions, bool) and positions != "channels_last":
        raise ValueError(
            f"positions must be True, False or 'channels_last'. Got {positions!r}."
        )


def find_network_and_rows(estimator, X):
    """Return the network that a fitted estimator ends in, and what that is given.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        What the estimator is given.

    Returns
    -------
    network : estimator
        The network.

    Z : ndarray or CSR matrix of shape (n_samples, n_inputs)
        `X` behind all the transformers, of a type that the network takes.
    """
    network, Z = last_step(estimator), transform_ahead(estimator, X)
    if isinstance(network, NETWORKS):
        return network, check_rows(network, Z, reset=False)
    Z = check_array(Z, accept_sparse="csr", dtype=None, allow_nd=True)
    weights = next(network.module_.parameters(), None)
    if weights is not None and np.issubdtype(Z.dtype, np.floating):
        Z = Z.astype(str(weights.dtype).removeprefix("torch."), copy=False)
    return network, Z


def module_of(network):
    """Return the torch module of a fitted network.

    Parameters
    ----------
    network : SparseNetClassifier, SparseNetRegressor or skorch.NeuralNet
        Fitted.

    Returns
    -------
    module : torch.nn.Module
        The module.
    """
    return network.net_.module_ if isinstance(network, NETWORKS) else network.module_


def activations(network, Z, layer, batch_size, positions=False):
    """Return the activations of a layer.

    Parameters
    ----------
    network : SparseNetClassifier, SparseNetRegressor or skorch.NeuralNet
        Fitted.

    Z : ndarray or CSR matrix of shape (n_samples, n_inputs)
        Rows as the network takes them.

    layer : str, int or None
        Which layer.

    batch_size : int
        Rows that go through the network at a time.

    positions : bool or "channels_last", default=False
        Whether to return one row per position.

    Returns
    -------
    activations : ndarray of shape (n_samples, n_units) \
            or (n_samples * n_positions, n_channels)
        In the network's float type.
    """
    n_positions = 1
    if positions and Z.shape[0] > 1:
        n_positions = len(activations(network, Z[:1], layer, 1, positions))
    module, seen = module_of(network), []

    def collect(outputs):
        found, n_found = None, 0
        for _ in outputs:
            part = seen.pop()
            if found is None:
                n_rows = max(n_positions * Z.shape[0], len(part))
                found = np.empty((n_rows, part.shape[1]), part.dtype)
            found[n_found : n_found + len(part)] = part
            n_found += len(part)
        return found

    with watch_activation(module, layer, seen.append, positions):
        return run(module, Z, batch_size, use=collect)


def answers(network, Z):
    """Return what a network predicts.

    Parameters
    ----------
    network : SparseNetClassifier, SparseNetRegressor or skorch.NeuralNet
        Fitted.

    Z : ndarray or CSR matrix of shape (n_samples, n_inputs)
        Rows as the network takes them.

    Returns
    -------
    answers : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Probabilities of a classifier, numbers of others.
    """
    return network.predict_proba(Z) if is_classifier(network) else network.predict(Z)
