"""Plain linear layers of given weights."""

import numpy as np
import torch
from torch import nn


def linear(weight, bias):
    """Make a linear layer of given weights.

    Parameters
    ----------
    weight : ndarray of shape (n_neurons, n_features)
        Weights.

    bias : Tensor of shape (n_neurons,) or None
        Bias; None for a layer without one.

    Returns
    -------
    layer : torch.nn.Linear
        On the CPU, with copies of both.
    """
    weight = torch.from_numpy(np.array(weight, order="C"))
    layer = nn.Linear(1, 1, bias=bias is not None)
    layer.out_features, layer.in_features = weight.shape
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().cpu().clone())
    return layer
