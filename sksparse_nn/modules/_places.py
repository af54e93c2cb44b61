"""Find a layer of a torch module by name or position."""

from dataclasses import dataclass
from numbers import Integral

from torch import nn


@dataclass(frozen=True)
class Place:
    """Layer of a module, and whether to read its input or its output.

    Attributes
    ----------
    layer : torch.nn.Module
        One of its layers.

    name : str
        Its name in the module.

    is_input : bool
        Whether to read the input of the layer instead of its output.
    """

    layer: nn.Module
    name: str
    is_input: bool


def find_place(module, layer):
    """Find a layer of a module.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    layer : str, int or None
        A name of ``module.named_modules()``; a position among the layers without
        sublayers, from the end if negative; None for the input of the last linear
        layer.

    Returns
    -------
    place : Place
        The layer, its name, and whether to read its input.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    named = dict(module.named_modules())
    if layer is None:
        return Place(*_last_linear(named), is_input=True)
    if isinstance(layer, Integral):
        layer = _name_at(named, layer)
    if not isinstance(layer, str):
        raise ValueError(f"layer must be a name, a position or None. Got {layer!r}.")
    if layer not in named:
        raise ValueError(
            f"layer must be one of the network's layers {_names(named)}. Got {layer!r}."
        )
    return Place(named[layer], layer, is_input=False)


def _last_linear(named):
    # Compressed layers are linear too; all linear layers have `in_features`.
    linear = [name for name, part in named.items() if hasattr(part, "in_features")]
    if not linear:
        raise ValueError(
            "layer=None needs a network with a linear layer. Got none; name one of "
            f"{_names(named)}."
        )
    return named[linear[-1]], linear[-1]


def _name_at(named, position):
    leaves = [name for name, part in named.items() if not any(part.children())]
    if not -len(leaves) <= position < len(leaves):
        raise ValueError(
            f"layer must be a position among the {len(leaves)} layers {leaves}. "
            f"Got {position}."
        )
    return leaves[position]


def _names(named):
    return [name for name in named if name]
