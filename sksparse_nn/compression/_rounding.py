"""Integers of a network, one layer after the other, so that outputs stay."""

from copy import deepcopy

import numpy as np

from sksparse_nn.compression._layer_sums import column_parts, count_calls
from sksparse_nn.compression._matching import refit_layer, wanted_outputs
from sksparse_nn.modules._facts import quantize, traits
from sksparse_nn.modules._linear_layers import replace_one

# Least unit of an input, in units of an average one. Large weights of inputs that
# hardly vary would leave the others of a row too few steps.
_LEAST_UNIT = 1.0


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
        Input of the network, of which up to 5000 samples are read, and weights or None.

    Returns
    -------
    module : torch.nn.Module
        A copy, in which pruned layers and those of many inputs are as they were.
    """
    rounded = deepcopy(module)
    n_calls = {
        name: n
        for name, n in count_calls(module, samples).items()
        if _can_be_solved(module.get_submodule(name))
    }
    for name, wanted in wanted_outputs(module, n_calls, samples):
        sums = refit_layer(rounded, name, wanted, samples, least_unit=_LEAST_UNIT)
        squares = np.stack([_squares(part) for part in sums])
        layer = rounded.get_submodule(name)
        integers = quantize(layer, n_bits, scales[name], squares)
        rounded = replace_one(rounded, layer, integers)
    return rounded


def _squares(sums):
    _, products = sums.centred()
    return products[:, : len(products)]


def _can_be_solved(layer):
    return not traits(layer).keeps_zeros and len(column_parts(layer)) == 1
