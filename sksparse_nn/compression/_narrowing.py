"""Layers without some of their channels, and whether the network is right then."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from sksparse_nn.compression._samples import read_outputs
from sksparse_nn.modules._facts import NORMS, is_convolution

# Samples to compare outputs on; differences in units of the largest output. Rounding
# makes up to 1e-5.
_TRIED, _TOL = 64, 1e-3


def narrow(module, couplings, keeps):
    """Return a copy of a network without some channels.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    couplings : Couplings
        Its units.

    keeps : ndarray of bool of shape (n_units,)
        Units to keep.

    Returns
    -------
    module : torch.nn.Module
        With weights as they were, where they are left.
    """
    module = deepcopy(module)
    for name, units in couplings.outputs.items():
        layer, rows = module.get_submodule(name), couplings.kept(units, keeps)
        if isinstance(layer, NORMS):
            if len(rows) < len(units):
                _narrow_norm(layer, rows)
            continue
        columns = couplings.kept(couplings.inputs[name], keeps)
        if len(rows) < len(units) or len(columns) < len(couplings.inputs[name]):
            _narrow_weights(layer, rows, columns)
    return module


def check_narrower(original, couplings, keeps, X):
    """Raise unless a network without channels is the original with these ignored.

    Parameters
    ----------
    original : torch.nn.Module
        The network with them.

    couplings : Couplings
        Its units.

    keeps : ndarray of bool of shape (n_units,)
        Units to keep.

    X : {ndarray, CSR matrix} of shape (n_samples, ...)
        Input of the network.

    Raises
    ------
    ValueError
        Naming a layer whose channels cannot be removed.
    """
    X = X[:_TRIED]
    if _find_fault(original, couplings, keeps, X) is None:
        return
    classes = couplings.classes()
    for part in np.unique(classes[~keeps]):
        alone = keeps | (classes != part)
        fault = _find_fault(original, couplings, alone, X)
        if fault is not None:
            break
    else:  # each by itself is right
        alone, fault = keeps, _find_fault(original, couplings, keeps, X)
    name = next(
        name
        for name, units in couplings.outputs.items()
        if len(couplings.kept(units, alone)) < len(units)
    )
    raise ValueError(
        "structure='channel' needs channels that only layers of weights read. Got "
        f"{type(original.get_submodule(name)).__name__} ({name!r} of the network), "
        f"without some of whose channels {fault}; use structure='weight'."
    )


def _find_fault(original, couplings, keeps, X):
    """Say what is wrong with a narrower network; None if nothing is."""
    wanted = read_outputs(_ignore(original, couplings, keeps), X)
    try:
        found = read_outputs(narrow(original, couplings, keeps), X)
    except Exception as error:
        return f"the network fails with {type(error).__name__}: {error}"
    if found.shape != wanted.shape:
        return f"outputs have shape {found.shape} instead of {wanted.shape}"
    scale = np.abs(wanted).max(initial=0, where=np.isfinite(wanted))
    if not np.allclose(found, wanted, rtol=0, atol=_TOL * scale, equal_nan=True):
        return "outputs are others than if nothing read these channels"
    return None


def _ignore(original, couplings, keeps):
    """Return a copy of a network in which no layer reads some channels."""
    module = deepcopy(original)
    for name, units in couplings.inputs.items():
        layer = module.get_submodule(name)
        gone = np.setdiff1d(np.arange(len(units)), couplings.kept(units, keeps))
        width = layer.weight.shape[1]
        if width > 1 or getattr(layer, "groups", 1) == 1:
            with torch.no_grad():
                layer.weight[:, gone[gone < width]] = 0
    return module


def _narrow_weights(layer, rows, columns):
    weight = layer.weight.detach()[rows]
    if not is_convolution(layer):
        weight = weight[:, columns]
        layer.in_features, layer.out_features = len(columns), len(rows)
    else:
        if weight.shape[1] == 1 < layer.groups:
            layer.groups = len(columns)  # each has kernels of its own
        else:
            weight = weight[:, columns[columns < weight.shape[1]]]
        layer.in_channels, layer.out_channels = len(columns), len(rows)
    _replace(layer, "weight", weight)
    if layer.bias is not None:
        _replace(layer, "bias", layer.bias.detach()[rows])


def _narrow_norm(layer, kept):
    for name in ("weight", "bias", "running_mean", "running_var"):
        values = getattr(layer, name, None)
        if values is not None:
            _replace(layer, name, values.detach()[kept])
    if isinstance(layer, nn.GroupNorm):
        layer.num_groups = layer.num_groups * len(kept) // layer.num_channels
        layer.num_channels = len(kept)
    elif isinstance(layer, nn.PReLU):
        layer.num_parameters = len(kept)
    else:
        layer.num_features = len(kept)


def _replace(layer, name, values):
    old = getattr(layer, name)
    if isinstance(old, nn.Parameter):
        values = nn.Parameter(values.clone(), requires_grad=old.requires_grad)
    setattr(layer, name, values)
