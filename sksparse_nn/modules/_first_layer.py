"""The first weights of a network, which multiply its input."""

import torch
from torch import nn

from sksparse_nn.modules._coding import dense_atoms
from sksparse_nn.modules._compressed import CompressedLinear
from sksparse_nn.modules._compressed_coding import CompressedCoding


class FirstLayerError(ValueError, AttributeError):
    """Error for a module whose first weights do not match the input features.

    It is an AttributeError too, since such a network lacks the attributes that need
    them.
    """


def check_first_layer(module, n_features, what):
    """Check that the first weights have a column for each input feature.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    n_features : int
        Width of the input.

    what : str
        Caller, as named in an error.

    Raises
    ------
    FirstLayerError
        If they do not.
    """
    first = first_weight(module)
    if first is None or first.shape[1:] != (n_features,):
        found = None if first is None else tuple(first.shape)
        raise FirstLayerError(
            f"{what} needs a module whose first weights have a column for each of "
            f"n_features={n_features}. Got shape {found}; leave {what} out."
        )


def first_weight(module):
    """Return the weights that a network multiplies its input by.

    Parameters
    ----------
    module : torch.nn.Module
        A network, compressed or not.

    Returns
    -------
    weight : Tensor of two or more dimensions, or None
        For a layer of low rank, the product of its factors. None without weights.
    """
    layers = [layer for layer in module.modules() if _matrix(layer) is not None]
    if not layers:
        return None
    first, second = _matrix(layers[0]), next(iter(layers[1:]), None)
    if second is not None and _are_factors(module, layers[0], second):
        return _matrix(second) @ first
    return first


def _matrix(layer):
    """Return the weights of a layer itself, not of its sublayers, or None."""
    if isinstance(layer, CompressedLinear):
        return layer.weight
    if isinstance(layer, CompressedCoding):
        return torch.from_numpy(dense_atoms(layer))
    own = layer.parameters(recurse=False)
    return next((w for w in own if w.ndim > 1 and w.requires_grad), None)


def _are_factors(module, first, second):
    """Return whether two layers are the factors of one, with nothing in between."""
    bias = getattr(first, "bias", second)
    is_compressed = isinstance(first, CompressedLinear)
    if bias is not None and not (is_compressed and not bias.any()):
        return False
    for parent in module.modules():
        children = list(parent.children())
        if isinstance(parent, nn.Sequential) and first in children:
            return second in children[children.index(first) + 1 :][:1]
    return False
