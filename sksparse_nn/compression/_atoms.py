"""Removal of atoms from a sequence of layers, and of the neurons behind them."""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from sksparse_nn.compression._samples import choose_samples
from sksparse_nn.modules._coding import CodingLayer, dense_atoms, has_atoms
from sksparse_nn.modules._facts import is_linear
from sksparse_nn.modules._linear import linear
from sksparse_nn.modules._linear_layers import has_matrix, select_layers
from sksparse_nn.modules._run import run

# Samples to try a layer out on; samples per block.
_TRIED, _BLOCK = 64, 1024


def check_sequence(module, X):
    """Raise unless each atom is a column of the linear layer behind it.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers, with a layer of codes.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network.

    Raises
    ------
    ValueError
        If it is not a sequence, or what takes the codes is not linear.
    """
    places = _find_places(module)
    if type(module) is not nn.Sequential or len(places) < len(
        select_layers(module, has_matrix)
    ):
        kind = next(
            type(x).__name__ for x in select_layers(module, has_matrix) if has_atoms(x)
        )
        raise ValueError(
            f"structure='neuron' needs {kind} in a torch.nn.Sequential, where a linear "
            "layer takes its codes. Got a module of your own; use structure='weight'."
        )
    if len(places) == 1:
        raise ValueError(
            f"structure='neuron' needs a linear layer behind {_name(module, 0)}. Got "
            "none; use structure='weight'."
        )
    for place, following in pairwise(places):
        if not is_linear(module[following]):
            raise ValueError(
                f"structure='neuron' needs a linear layer behind {_name(module, place)}"
                f". Got {_name(module, following)}; use structure='weight'."
            )
        _check_n_codes(module, place, following)
        for between in range(place + 1, following):
            _check_columns(module, place, between, X[:_TRIED])


def remove_atoms(module, kept, X, sample_weight):
    """Remove atoms and hidden neurons, and keep the mean outputs of the next layers.

    Codes in fewer atoms are others, so that means are taken before and afterwards.

    Parameters
    ----------
    module : torch.nn.Sequential
        One that `check_sequence` has passed.

    kept : list of ndarray of int
        Atoms or neurons to keep, for each layer of a matrix but the last.

    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Input of the network.

    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples in the means.

    Returns
    -------
    module : torch.nn.Sequential
        A narrower copy, on the CPU.
    """
    module = deepcopy(module).cpu()
    samples = choose_samples(X, sample_weight)
    places = _find_places(module)
    wanted = [_mean_products(module, place, *samples) for place in places[1:]]
    for (place, behind), rows, mean in zip(pairwise(places), kept, wanted, strict=True):
        module[place] = _keep_rows(module[place], rows)
        module[behind] = _keep_columns(module[behind], rows)
        if module[behind].bias is not None:
            missing = mean - _mean_products(module, behind, *samples)
            with torch.no_grad():
                module[behind].bias += torch.from_numpy(missing)
    return module


def _find_places(module):
    return [i for i, layer in enumerate(module.children()) if has_matrix(layer)]


def _name(module, place):
    return f"{type(module[place]).__name__} ({str(place)!r} of the network)"


def _check_n_codes(module, place, following):
    """Raise unless a layer of atoms has one code per atom."""
    layer, n_codes = module[place], module[following].in_features
    n_atoms = len(dense_atoms(layer)) if has_atoms(layer) else n_codes
    if n_atoms != n_codes and getattr(layer, "out_features", n_atoms) != n_atoms:
        raise ValueError(
            f"structure='neuron' needs one code per atom. Got {n_codes} codes of "
            f"{n_atoms} atoms by {_name(module, place)}; use structure='weight'."
        )


@torch.no_grad()
def _check_columns(module, place, between, X):
    """Raise if a layer that follows atoms needs all of their codes at once."""
    layer = module[between]
    codes = torch.from_numpy(_outputs(module, between, X))
    codes = codes.to(next(module.parameters()).device)
    try:
        alone, all_codes = layer(codes[:, ::2]), layer(codes)
        is_apart = all_codes.shape == codes.shape and torch.allclose(
            alone, all_codes[:, ::2], rtol=1e-4, atol=1e-6
        )
    except (RuntimeError, ValueError, IndexError):
        is_apart = False
    if not is_apart:
        raise ValueError(
            f"structure='neuron' needs layers behind {_name(module, place)} that treat "
            f"each code by itself, such as ReLU. Got {_name(module, between)}; use "
            "structure='weight'."
        )


def _outputs(module, n_layers, X):
    """Return what the first layers make of samples."""
    first = nn.Sequential(*list(module)[:n_layers])
    outputs = run(
        first, X, _BLOCK, use=lambda parts: [part.cpu().numpy() for part in parts]
    )
    return np.concatenate(outputs)


def _mean_products(module, place, X, sample_weight):
    """Return the mean of the products with a linear layer, without the bias."""
    inputs = _outputs(module, place, X)
    mean = np.average(inputs, axis=0, weights=sample_weight)
    weight = module[place].weight.detach().numpy()
    return (weight @ mean).astype(weight.dtype)


def _keep_rows(layer, rows):
    if not isinstance(layer, CodingLayer):
        bias = None if layer.bias is None else layer.bias[rows]
        return linear(layer.weight.detach()[rows].numpy(), bias)
    return layer.keep_atoms(rows)


def _keep_columns(layer, columns):
    return linear(layer.weight.detach()[:, columns].numpy(), layer.bias)
