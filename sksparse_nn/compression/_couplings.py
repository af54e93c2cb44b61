"""Channels of a network that can only be removed together."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import nn

from sksparse_nn.modules._facts import NORMS, is_convolution, is_linear
from sksparse_nn.modules._layer_rows import n_groups


@dataclass(frozen=True)
class Couplings:
    """Units of channels that go together.

    Attributes
    ----------
    outputs : dict of str to ndarray of int of shape (n_channels,)
        Unit of each channel that a layer puts out, by the name of the layer; -1 for
        channels that stay. Normalisations are among the layers.

    inputs : dict of str to ndarray of int of shape (n_channels,)
        The same for what layers of weights take.

    n_units : int
        Number of units.
    """

    outputs: dict
    inputs: dict
    n_units: int

    def kept(self, units, keeps):
        """Return the channels that are left of a layer.

        Parameters
        ----------
        units : ndarray of int of shape (n_channels,)
            One of `outputs` or `inputs`.

        keeps : ndarray of bool of shape (n_units,)
            Units to keep.

        Returns
        -------
        kept : ndarray of int
            Ascending indices.
        """
        return np.flatnonzero(np.append(keeps, True)[units])

    def classes(self):
        """Return which units share a layer.

        Returns
        -------
        classes : ndarray of int of shape (n_units,)
            Equal for units that enter or leave the same layer.
        """
        pairs = [np.empty((0, 2), int)]
        for units in [*self.outputs.values(), *self.inputs.values()]:
            found = np.unique(units[units >= 0])
            pairs.append(np.column_stack([found[:-1], found[1:]]))
        return _components(self.n_units, np.concatenate(pairs))


class ChannelGraph:
    """Links between the channels of layers, of which units are made.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.
    """

    def __init__(self, module):
        self._layers = {
            name: layer for name, layer in module.named_modules() if has_channels(layer)
        }
        self._offsets, self._size, self._pairs, self._fixed = {}, 0, [], []
        for name, layer in self._layers.items():
            for side in ("inputs", "outputs"):
                if side == "outputs" or not isinstance(layer, NORMS):
                    self._offsets[name, side] = self._size
                    self._size += _width(layer, side)
        for name, layer in self._layers.items():
            self._link_inside(name, layer)

    def width(self, place):
        """Return the number of channels at a place.

        Parameters
        ----------
        place : tuple of str
            Name of a layer, and "inputs" or "outputs". Those of a normalisation are
            "outputs".

        Returns
        -------
        n_channels : int
            Their number.
        """
        return _width(self._layers[place[0]], place[1])

    def link(self, one, of_one, other, of_other):
        """Say that channels go together.

        Parameters
        ----------
        one : tuple of str
            A place.

        of_one : ndarray of int of shape (n_links,)
            Channels there.

        other : tuple of str
            Another place.

        of_other : ndarray of int of shape (n_links,)
            The channel there for each of `of_one`.
        """
        pairs = [self._offsets[one] + of_one, self._offsets[other] + of_other]
        self._pairs.append(np.column_stack(pairs))

    def fix(self, place, channels):
        """Say that channels stay.

        Parameters
        ----------
        place : tuple of str
            Where they are.

        channels : ndarray of int
            The channels.
        """
        self._fixed.append(self._offsets[place] + channels)

    def couplings(self):
        """Return the units: channels that some layer puts out and another takes.

        Returns
        -------
        couplings : Couplings
            In the order of the layers.
        """
        parts = _components(
            self._size, np.concatenate([np.empty((0, 2), int), *self._pairs])
        )
        labels = self._number(parts)
        found = {
            place: labels[parts[start : start + self.width(place)]]
            for place, start in self._offsets.items()
        }
        sides = {
            side: {name: units for (name, of), units in found.items() if of == side}
            for side in ("outputs", "inputs")
        }
        return Couplings(sides["outputs"], sides["inputs"], labels.max(initial=-1) + 1)

    def _number(self, parts):
        """Return a number for each part that can be removed; -1 for others."""
        n_parts = parts.max(initial=-1) + 1
        is_free = np.zeros((2, n_parts), bool)
        first = np.full(n_parts, self._size)
        for (name, side), start in self._offsets.items():
            if not isinstance(self._layers[name], NORMS):
                there = parts[start : start + self.width((name, side))]
                is_free[int(side == "outputs"), there] = True
                np.minimum.at(first, there, np.arange(start, start + len(there)))
        is_free = is_free.all(axis=0)
        for nodes in self._fixed:
            is_free[parts[nodes]] = False
        labels = np.full(n_parts, -1)
        free = np.flatnonzero(is_free)
        labels[free[np.argsort(first[free])]] = np.arange(len(free))
        return labels

    def _link_inside(self, name, layer):
        """Link channels that one layer binds to each other."""
        inputs, outputs = (name, "inputs"), (name, "outputs")
        if isinstance(layer, nn.LayerNorm):
            self._tie(outputs, np.zeros(self.width(outputs), int))
        elif isinstance(layer, nn.GroupNorm):
            size = layer.num_channels // layer.num_groups
            self._tie(outputs, np.arange(layer.num_channels) // size)
        elif n_groups(layer) > 1 and layer.weight.shape[1] == 1:
            channels = np.arange(layer.out_channels)
            each = layer.out_channels // layer.groups
            self.link(inputs, channels // each, outputs, channels)
        elif n_groups(layer) > 1:
            for place in (inputs, outputs):
                size = self.width(place) // layer.groups
                self._tie(place, np.arange(self.width(place)) % size)

    def _tie(self, place, labels):
        """Link channels of equal labels to the first of them."""
        _, first, which = np.unique(labels, return_index=True, return_inverse=True)
        self.link(place, np.arange(len(labels)), place, first[which])


def has_channels(layer):
    """Return whether channels can be removed from a layer.

    Parameters
    ----------
    layer : torch.nn.Module
        Of any kind.

    Returns
    -------
    has_channels : bool
        True for linear layers, convolutions and normalisations.
    """
    if isinstance(layer, nn.PReLU):
        return layer.num_parameters > 1
    return isinstance(layer, NORMS) or is_linear(layer) or is_convolution(layer)


_WIDTHS = {
    "inputs": ("in_channels", "in_features"),
    "outputs": (
        "out_channels",
        "out_features",
        "num_features",
        "num_channels",
        "num_parameters",
    ),
}


def _width(layer, side):
    if isinstance(layer, nn.LayerNorm):
        return layer.normalized_shape[-1]
    return next(getattr(layer, key) for key in _WIDTHS[side] if hasattr(layer, key))


def _components(n_nodes, pairs):
    links = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(n_nodes, n_nodes))
    return connected_components(links, directed=False)[1]
