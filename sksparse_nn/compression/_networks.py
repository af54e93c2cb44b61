"""The network inside an estimator: check it, look at it, give it another module."""

import numpy as np

from sksparse_nn._pipelines import last_step
from sksparse_nn.modules._facts import is_linear, traits
from sksparse_nn.modules._linear_layers import layer_inputs
from sksparse_nn.neural._nesting import NETWORKS


def check_compressible(estimator, name):
    """Refuse what does not end in a network of this package.

    Parameters
    ----------
    estimator : estimator
        What a user wants to compress.

    name : str
        Of the compressor, for the error.

    Raises
    ------
    TypeError
        If there is no network at its end.
    """
    found = last_step(estimator)
    if not isinstance(found, NETWORKS):
        raise TypeError(
            f"{name} takes a SparseNetClassifier or SparseNetRegressor, or a Pipeline, "
            f"search or compressor that ends in one. Got {type(found).__name__}."
        )


def check_layers(module, name):
    """Refuse a network with weights that would be passed over.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Of the compressor, for the error.

    Raises
    ------
    TypeError
        If weights of two or more dimensions are in another layer than a linear one.
    """
    for place, layer in module.named_modules():
        own = layer.parameters(recurse=False)
        n_weights = sum(weight.numel() for weight in own if weight.ndim > 1)
        if n_weights and not is_linear(layer):
            raise TypeError(
                f"{name} makes linear layers smaller and would pass over "
                f"{type(layer).__name__} ({place!r} of the network), which has "
                f"{n_weights} weights. Give it a network of linear layers."
            )


def set_module(network, module, *, trains=False):
    """Give a fitted network estimator another module, in place, on its device.

    Parameters
    ----------
    network : SparseNetClassifier or SparseNetRegressor
        A copy that belongs to the caller.

    module : torch.nn.Module
        The new module.

    trains : bool, default=False
        Whether it will be trained on, for which it gets a new optimizer. Otherwise what
        training needs is dropped.
    """
    net = network.net_
    if any(traits(layer).needs_cpu for layer in module.modules()):
        net.device = "cpu"
    net.module_ = module.to(net.device).eval()
    if trains:
        net.initialize_optimizer()
    else:
        net.optimizer_ = None


def weighted_inputs(module, data):
    """Return what the linear layers are given, each row times the root of its weight.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    data : tuple
        Rows, their targets, and weights or None.

    Returns
    -------
    inputs : list of ndarray of shape (at most 5000, n_inputs)
        One a layer.
    """
    X, _, weight = data
    inputs = layer_inputs(module, X)
    if weight is None:
        return inputs
    roots = np.sqrt(weight[: len(inputs[0])])[:, None]
    return [(roots * part).astype(part.dtype) for part in inputs]


def refuse_quantized(module, name):
    """Refuse a network of integers, which cannot be changed further.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Of the compressor, for the error.

    Raises
    ------
    ValueError
        If a layer is quantized.
    """
    if any(traits(layer).holds_integers for layer in module.modules()):
        raise ValueError(
            f"{name} cannot change integers. Got a quantized network; put NetQuantizer "
            f"outermost: NetQuantizer({name}(...))."
        )
