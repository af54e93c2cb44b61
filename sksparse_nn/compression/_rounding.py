"""Integers of a network, one layer after the other, so that outputs stay."""

import numpy as np

from sksparse_nn.compression._layer_sums import column_parts, count_calls
from sksparse_nn.compression._matching import refit_layer, wanted_outputs
from sksparse_nn.modules._facts import make_plain, quantize, traits
from sksparse_nn.modules._layer_rows import matrices
from sksparse_nn.modules._linear_layers import (
    multiplies_by_weights,
    replace_layers,
    replace_one,
)
from sksparse_nn.solvers.layers import even_units


def round_layers(module, n_bits, scales, samples):
    """Make layers of a network integers, and let the later ones make up for errors.

    Parameters
    ----------
    module : torch.nn.Module
        A network on the CPU.

    n_bits : int
        8 or 4.

    scales : dict of str to float, "row" or None
        Scale of the inputs of each layer, by name, as `quantize` takes it.

    samples : tuple
        Input of the network, read where `choose_samples` says, and weights or None.

    Returns
    -------
    module : torch.nn.Module
        A copy, in which layers of many inputs are as they were. Zeros of pruned layers
        stay zero.
    """
    original, rounded = (replace_layers(module, _make_plain) for _ in range(2))
    n_calls = {
        name: n
        for name, n in count_calls(original, samples).items()
        if _can_be_solved(original.get_submodule(name))
    }
    for name, wanted in wanted_outputs(original, n_calls, samples):
        kept = _find_kept(module.get_submodule(name))
        sums = refit_layer(rounded, name, wanted, samples, units=even_units, kept=kept)
        squares = np.stack([_squares(part) for part in sums])
        layer = rounded.get_submodule(name)
        integers = quantize(layer, n_bits, scales[name], squares)
        rounded = replace_one(rounded, layer, integers)
    return rounded


def _squares(sums):
    _, products = sums.centred()
    return products[:, : len(products)]


def _make_plain(layer):
    return [make_plain(layer) if multiplies_by_weights(layer) else layer]


def _find_kept(layer):
    """Return a mask of the weights that pruning left; None for other layers."""
    if not traits(layer).keeps_zeros:
        return None
    return matrices(make_plain(layer)).numpy() != 0


def _can_be_solved(layer):
    return len(column_parts(layer)) == 1
