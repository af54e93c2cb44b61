"""Means and covariances of what layers multiply, and of their products."""

import numpy as np
from torch import nn

from sksparse_nn.modules._facts import is_convolution
from sksparse_nn.modules._linear_layers import (
    multiplies_by_weights,
    select_layers,
    watch_inputs,
)
from sksparse_nn.solvers.layers import Moments

# Positions per sample that are drawn of a convolution.
_POSITIONS = 16


def product_moments(module, X, sample_weight=None):
    """Add up the products of each layer's weights with its inputs, without the bias.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network.

    sample_weight : ndarray of shape (n_samples,) or None, default=None
        Weights of the samples. Products of a layer whose input does not have the
        samples first count by the mean weight.

    Returns
    -------
    moments : dict of torch.nn.Module to Moments
        One per linear layer and convolution, of all calls, at up to 16 positions per
        sample that are drawn at random.

    Raises
    ------
    ValueError
        If a layer is never called.
    """
    return _add_up(module, X, sample_weight, multiplies_by_weights, _multiply)


def channel_moments(module, X, sample_weight=None):
    """Add up the input channels of each convolution.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network.

    sample_weight : ndarray of shape (n_samples,) or None, default=None
        As in `product_moments`.

    Returns
    -------
    moments : dict of torch.nn.Module to Moments
        One per convolution, of all calls, at up to 16 positions per sample that are
        drawn at random.

    Raises
    ------
    ValueError
        If a layer is never called.
    """
    return _add_up(module, X, sample_weight, is_convolution, _channels_last)


def _add_up(module, X, sample_weight, holds, read):
    found = {layer: Moments() for layer in select_layers(module, holds)}
    rng = np.random.default_rng(0)

    def see(layer, given, which):
        values = read(layer, given).cpu().numpy()
        rows = values.reshape(-1, values.shape[-1])
        weight = None
        if sample_weight is not None:
            weight = _repeat_weights(sample_weight[which], values.shape)
        n_drawn = _POSITIONS * (which.stop - which.start)
        if len(rows) > n_drawn:
            drawn = rng.choice(len(rows), n_drawn, replace=False)
            rows, weight = rows[drawn], None if weight is None else weight[drawn]
        if len(rows):
            found[layer].add(rows, weight)

    watch_inputs(module, found, X, see)
    return found


def _multiply(layer, given):
    if not is_convolution(layer):
        return nn.functional.linear(given, layer.weight)
    products = layer._conv_forward(given, layer.weight, None)
    return _channels_last(layer, products)


def _channels_last(layer, values):
    return values.movedim(1 - layer.weight.ndim, -1)


def _repeat_weights(weight, shape):
    n_rows = int(np.prod(shape[:-1]))
    if not shape or shape[0] != len(weight):
        return np.full(n_rows, weight.mean())
    return np.repeat(weight, n_rows // len(weight))
