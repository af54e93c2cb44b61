"""The network in a fitted estimator: rows as it takes them, its layers, its answers."""

import numpy as np
import torch
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.utils import check_array
from skorch import NeuralNet

from sksparse_nn._pipelines import last_step, transform_ahead
from sksparse_nn._validation import check_rows
from sksparse_nn.modules._hooks import shown
from sksparse_nn.modules._perceptron import stays_sparse
from sksparse_nn.modules._sparse_input import sparse_rows
from sksparse_nn.modules._threads import threads_worth
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


def network_and_rows(estimator, X):
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


def activations(network, Z, layer, batch_size):
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

    Returns
    -------
    activations : ndarray of shape (n_samples, n_units)
        In the network's float type.
    """
    module, seen, found = module_of(network), [], None
    n_rows = min(batch_size, Z.shape[0])
    with (
        shown(module, layer, seen.append),
        torch.inference_mode(),
        threads_worth(module.parameters(), n_rows),
    ):
        for start in range(0, Z.shape[0], batch_size):
            module(_tensor(Z[start : start + batch_size], module))
            part = seen.pop()
            if found is None:
                found = np.empty((Z.shape[0], part.shape[1]), part.dtype)
            found[start : start + len(part)] = part
    return found


def _tensor(rows, module):
    like = next(module.parameters(), torch.empty(0))
    if stays_sparse(rows, module):
        return sparse_rows(rows, str(like.dtype).removeprefix("torch."))
    rows = rows.toarray() if sparse.issparse(rows) else np.array(rows, order="C")
    rows = torch.from_numpy(rows)
    return rows.to(like) if rows.is_floating_point() else rows.to(like.device)


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
