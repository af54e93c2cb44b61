"""The network that a fitted estimator ends in, and the samples that reach it."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy import sparse
from sklearn.neural_network import MLPClassifier, MLPRegressor
from skorch import NeuralNet

from sksparse_nn._picked_rows import pick
from sksparse_nn._pipelines import (
    has_screened,
    last_step,
    list_steps,
    replace_inside,
    split_coders,
    transform_ahead,
)
from sksparse_nn._validation import check_rows, counting_rows
from sksparse_nn.compression._samples import choose_samples
from sksparse_nn.modules._compiled import uncompile
from sksparse_nn.modules._projection import replace_projections
from sksparse_nn.neural._from_mlp import network_of_mlp
from sksparse_nn.neural._nesting import NETWORKS
from sksparse_nn.neural._net import Net
from sksparse_nn.neural._skorch_networks import (
    SkorchNetwork,
    check_single,
    read_module_inputs,
)

MLPS = MLPClassifier, MLPRegressor


def check_compressible(estimator, name):
    """Raise if an estimator does not end in a network.

    Parameters
    ----------
    estimator : estimator
        Estimator to compress.

    name : str
        Name of the compressor, for the message.

    Raises
    ------
    TypeError
        If the estimator does not end in a network, or screens its rows.
    """
    if has_screened(estimator):
        raise TypeError(
            f"{name} goes inside of a ScreenedEstimator, where it gets the kept rows. "
            f"Got one inside of it; write ScreenedEstimator(screener, {name}(...))."
        )
    found = last_step(estimator)
    if not isinstance(found, (*NETWORKS, NeuralNet, *MLPS)):
        raise TypeError(
            f"{name} takes a SparseNetClassifier or SparseNetRegressor, a skorch net, "
            "an MLPClassifier or MLPRegressor, or a Pipeline, search or compressor "
            f"that ends in one. Got {type(found).__name__}."
        )
    if isinstance(found, Net):
        raise TypeError(
            f"{name} takes whole estimators. Got the net_ of one, a "
            f"{type(found).__name__}; give the estimator."
        )


def check_data(estimator, X, sample_weight, name):
    """Raise if a skorch net cannot be compressed on data, before it is fitted.

    Parameters
    ----------
    estimator : estimator
        Estimator to compress.

    X : array-like or sparse matrix of shape (n_samples, ...)
        Its samples.

    sample_weight : array-like of shape (n_samples,) or None
        Their weights.

    name : str
        Name of the compressor, for the message.

    Raises
    ------
    TypeError
        If there are weights, which skorch nets do not take, or the samples are not one
        array.
    """
    net = last_step(estimator)
    if not isinstance(net, NeuralNet):
        return
    if sample_weight is not None:
        raise TypeError(
            f"sample_weight is not read by {type(net).__name__}, a skorch net. Got "
            "weights; leave them out, or use SparseNetClassifier or "
            "SparseNetRegressor with your module."
        )
    if len(list_steps(estimator)) == 1 or isinstance(X, Mapping):
        _check_array(X, name)


def open_network(fitted, X, y, sample_weight, name):
    """Return a fitted estimator, the network that it ends in, and its data.

    Parameters
    ----------
    fitted : estimator
        Fitted, and changed in place; a pipeline, a frame, or anything else.

    X : {array-like, sparse matrix} of shape (n_samples, ...)
        Training samples.

    y : array-like of shape (n_samples, ...)
        Targets.

    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    name : str
        Name of the compressor, for messages.

    Returns
    -------
    fitted : estimator
        With coders as steps, and a network of this package in place of an MLP.

    network : SparseNetClassifier, SparseNetRegressor or SkorchNetwork
        Its last step. The module ``net_.module_`` has no compiled part.

    data : tuple
        Input of the module, targets, and weights or None. For a skorch net the input of
        the samples of `choose_samples`.
    """
    fitted = split_coders(fitted)
    fitted = replace_inside(fitted, lambda leaf: _replace_mlp(leaf, y, sample_weight))
    step, Z = last_step(fitted), transform_ahead(fitted, X)
    if isinstance(step, NeuralNet):
        check_single(step, name)
        step.module_ = uncompile(step.module_).eval()
        Z = _check_array(Z, name)
        inputs = read_module_inputs(step, choose_samples(Z)[0], name)
        return fitted, SkorchNetwork(step, Z, y), (inputs, None, None)
    Z = check_rows(step, Z, reset=False)
    step.net_.module_ = replace_projections(uncompile(step.net_.module_))
    return fitted, step, _drop_zero_weights(Z, y, sample_weight)


def _replace_mlp(leaf, y, sample_weight):
    return network_of_mlp(leaf, y, sample_weight) if isinstance(leaf, MLPS) else leaf


def _check_array(X, name):
    """Return samples of a skorch net, if they are one array."""
    if sparse.issparse(X):
        return X.tocsr()
    if isinstance(X, np.ndarray | torch.Tensor):
        return X
    raise TypeError(
        f"{name} takes skorch nets of one array, with a row per sample. Got "
        f"{type(X).__name__}; give an ndarray, a tensor or a sparse matrix."
    )


def _drop_zero_weights(X, y, sample_weight):
    """Leave out the samples of zero weight."""
    if sample_weight is None:
        return X, y, None
    kept, weights = counting_rows(X, sample_weight)
    if kept is None:
        return X, y, weights
    if y is not None:
        y = (y.tocsr() if sparse.issparse(y) else np.asarray(y))[kept]
    return pick(X, kept), y, weights
