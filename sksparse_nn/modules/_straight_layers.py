"""Piecewise linear networks with kinks at zero, read as matrices."""

from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from sksparse_nn.modules._perceptron import Perceptron


@dataclass(frozen=True)
class Layer:
    """An affine map, and the slope below zero of what follows it.

    Attributes
    ----------
    weight : ndarray of shape (n_units, n_inputs)
        Matrix of the map.

    bias : ndarray of shape (n_units,)
        Added to the products.

    slope : float or ndarray of shape (n_units,), default=1.0
        Multiplies results that are not above zero.
    """

    weight: np.ndarray
    bias: np.ndarray
    slope: np.ndarray | float = 1.0

    def then(self, other):
        # Merge this layer, which has no kink, with the next one.
        weight = other.weight @ self.weight
        return replace(other, weight=weight, bias=other.apply(self.bias))

    def apply(self, rows):
        # Apply the affine map to rows.
        return rows @ self.weight.T + self.bias


def read_layers(module, width):
    """Read a piecewise linear module as a list of layers.

    Parameters
    ----------
    module : torch.nn.Module
        In double precision and evaluation mode.

    width : int
        Of its input.

    Returns
    -------
    layers : list of Layer or None
        All but the last with a kink; None if the module has layers of another kind.
    """
    layers, last = [], None
    for part in _leaves(module):
        if type(part) not in _KINDS or _is_hooked(part):
            return None
        found = _KINDS[type(part)](part)
        if isinstance(found, Layer):
            last = found if last is None else last.then(found)
        elif found is not None:
            layers.append(replace(last or _identity(width), slope=found))
            last, width = None, len(layers[-1].bias)
    return [*layers, last or _identity(width)]


def _leaves(module):
    if type(module) in (nn.Sequential, Perceptron) and not _is_hooked(module):
        return [leaf for child in module for leaf in _leaves(child)]
    return [module]


def _is_hooked(module):
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _identity(width):
    return Layer(np.eye(width), np.zeros(width))


def _read_linear(part):
    weight = part.weight.detach().numpy()
    bias = np.zeros(len(weight)) if part.bias is None else part.bias.detach().numpy()
    return Layer(weight, bias)


def _read_batch_norm(part):
    scale = 1 / (part.running_var + part.eps).sqrt()
    scale = scale if part.weight is None else scale * part.weight.detach()
    shift = 0 if part.bias is None else part.bias.detach()
    shift = shift - part.running_mean * scale
    return Layer(np.diag(scale.numpy()), shift.numpy())


# None for layers that change nothing; a slope for those with a kink.
_KINDS = {
    nn.Linear: _read_linear,
    nn.BatchNorm1d: _read_batch_norm,
    nn.ReLU: lambda part: 0.0,
    nn.LeakyReLU: lambda part: part.negative_slope,
    nn.PReLU: lambda part: part.weight.detach().numpy(),
    nn.Identity: lambda part: None,
    nn.Dropout: lambda part: None,
    nn.Flatten: lambda part: None,
}
