"""Checks of the network inside an estimator, its inputs, and change of its module."""

import numpy as np

from sksparse_nn._pipelines import last_step
from sksparse_nn.modules._coding import has_atoms
from sksparse_nn.modules._facts import traits
from sksparse_nn.modules._linear_layers import has_matrix, layer_inputs, linear_layers
from sksparse_nn.neural._nesting import NETWORKS


def check_compressible(estimator, name):
    """Raise if an estimator does not end in a network of this package.

    Parameters
    ----------
    estimator : estimator
        Estimator to compress.

    name : str
        Name of the compressor, for the message.

    Raises
    ------
    TypeError
        If the estimator does not end in a network.
    """
    found = last_step(estimator)
    if not isinstance(found, NETWORKS):
        raise TypeError(
            f"{name} takes a SparseNetClassifier or SparseNetRegressor, or a Pipeline, "
            f"search or compressor that ends in one. Got {type(found).__name__}."
        )


def check_layers(module, name):
    """Raise if a network has weights that compression would skip.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Name of the compressor, for the message.

    Raises
    ------
    TypeError
        If a layer has weights of two or more dimensions, and is neither linear nor a
        layer of codes.
    """
    for place, layer in module.named_modules():
        own = layer.parameters(recurse=False)
        n_weights = sum(weight.numel() for weight in own if weight.ndim > 1)
        if n_weights and not has_matrix(layer):
            raise TypeError(
                f"{name} makes linear layers and layers of codes smaller and would "
                f"pass over {type(layer).__name__} ({place!r} of the network), which "
                f"has {n_weights} weights. Give it a network of linear layers or "
                "layers of codes."
            )


def set_module(network, module, *, trains=False):
    """Replace the module of a fitted network, in place, on its device.

    Parameters
    ----------
    network : SparseNetClassifier or SparseNetRegressor
        A network that belongs to the caller.

    module : torch.nn.Module
        The new module.

    trains : bool, default=False
        Whether training continues. Then the network gets a new optimizer; otherwise its
        optimizer is dropped.
    """
    net = network.net_
    if any(traits(layer).needs_cpu for layer in module.modules()):
        net.device = "cpu"
    net.module_ = module.to(net.device).eval()
    if trains:
        net.initialize_optimizer()
    else:
        net.optimizer_ = None


def read_weighted_inputs(module, data):
    """Read the inputs of the linear layers, times the roots of the sample weights.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    data : tuple
        Samples, targets, and weights or None.

    Returns
    -------
    inputs : list of ndarray of shape (at most 5000, n_inputs)
        One array per layer.
    """
    X, _, weight = data
    inputs = layer_inputs(module, X)
    if weight is None:
        return inputs
    roots = np.sqrt(weight[: len(inputs[0])])[:, None]
    return [(roots * part).astype(part.dtype) for part in inputs]


def refuse_atoms_alone(module, name):
    """Raise if a network has layers of codes, but no linear layer.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Name of the compressor, for the message.

    Raises
    ------
    TypeError
        If there is nothing to change but atoms.
    """
    if linear_layers(module):
        return
    for place, layer in module.named_modules():
        if has_atoms(layer):
            raise TypeError(
                f"{name} makes linear layers smaller and would pass over "
                f"{type(layer).__name__} ({place!r} of the network). Got a network "
                f"without linear layers; leave {name} out."
            )


def refuse_quantized(module, name):
    """Raise if a network is quantized, since integers cannot be changed further.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Name of the compressor, for the message.

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
