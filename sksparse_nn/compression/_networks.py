"""Checks of the network inside an estimator, its inputs, and change of its module."""

from torch import nn

from sksparse_nn.modules._coding import has_atoms
from sksparse_nn.modules._facts import traits
from sksparse_nn.modules._image_input import order_fewer_channels
from sksparse_nn.modules._linear_layers import (
    has_matrix,
    multiplies_by_weights,
    select_layers,
)
from sksparse_nn.neural._skorch_networks import SkorchNetwork


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
        If a layer has weights of two or more dimensions, and is neither linear, nor a
        convolution, nor a layer of codes; if it computes something else by them; or if
        two layers have weights in common.
    """
    for place, layer in module.named_modules():
        own = layer.parameters(recurse=False)
        n_weights = sum(weight.numel() for weight in own if weight.ndim > 1)
        if n_weights and not has_matrix(layer):
            raise TypeError(
                f"{name} makes linear layers, convolutions and layers of codes smaller "
                f"and would pass over {type(layer).__name__} ({place!r} of the "
                f"network), which has {n_weights} weights. Give it a network of these "
                "layers."
            )
        if n_weights and _computes_otherwise(layer):
            raise TypeError(
                f"{name} knows layers by their weights. Got {type(layer).__name__} "
                f"({place!r} of the network), which has a forward of its own or "
                "computes its weights; give it a plain layer."
            )
    _check_weights_apart(module, name)


def _check_weights_apart(module, name):
    """Raise if two layers share a weight, which could not change in one alone."""
    owners = {}
    for place, layer in module.named_modules():
        for values in layer.parameters(recurse=False):
            other = owners.setdefault(values, place)
            if other != place:
                raise TypeError(
                    f"{name} needs layers with weights of their own. Got "
                    f"{type(layer).__name__} ({place!r} of the network), which shares "
                    f"them with {other!r}; call one layer twice instead."
                )


def check_finite(module, name):
    """Raise if a network has weights that are missing or infinite.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    name : str
        Name of the compressor, for the message.

    Raises
    ------
    ValueError
        If a layer has such weights.
    """
    for place, layer in module.named_modules():
        for weight in layer.parameters(recurse=False):
            if not weight.isfinite().all():
                raise ValueError(
                    f"{name} takes networks of finite weights. Got NaN or infinity in "
                    f"{type(layer).__name__} ({place!r} of the network); train it at "
                    "a lower learning rate, or on scaled samples."
                )


def _computes_otherwise(layer):
    """Return whether a layer has a `forward` of its own, or computes its weights."""
    if "forward" in vars(layer):
        return True
    for known in (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d):
        if isinstance(layer, known):
            if "weight" not in layer._parameters:
                return True
            kind, names = type(layer), ("forward", "_conv_forward")
            return any(
                getattr(kind, name, None) is not getattr(known, name, None)
                for name in names
            )
    return False


def set_module(network, module, *, trains=False):
    """Replace the module of a fitted network, in place, on its device.

    Parameters
    ----------
    network : SparseNetClassifier, SparseNetRegressor or SkorchNetwork
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
        if isinstance(net.criterion_, nn.Module):
            net.criterion_.cpu()
    # skorch leaves a module where it is if its device is None.
    module = module if net.device is None else module.to(net.device)
    net.module_ = module.eval()
    order_fewer_channels(net.module_)
    if trains:
        net.initialize_optimizer()
    elif isinstance(network, SkorchNetwork):
        network.drop_optimizers()
    else:
        net.optimizer_ = None


def refuse_atoms_alone(module, name):
    """Raise if a network has layers of codes, but neither linear layer nor convolution.

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
    if select_layers(module, multiplies_by_weights):
        return
    for place, layer in module.named_modules():
        if has_atoms(layer):
            raise TypeError(
                f"{name} makes linear layers and convolutions smaller and would pass "
                f"over {type(layer).__name__} ({place!r} of the network). Got a "
                f"network without these; leave {name} out."
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
        advice = f"put NetQuantizer outermost: NetQuantizer({name}(...))"
        if name == "NetQuantizer":
            advice = "quantize once"
        raise ValueError(
            f"{name} cannot change integers. Got a quantized network; {advice}."
        )
