"""Layers of a smaller network that answer as those of the network before."""

from functools import partial
from itertools import repeat

import numpy as np
import torch

from sksparse_nn.compression._layer_sums import column_parts, read_wanted, sum_missing
from sksparse_nn.compression._refit import RIDGE
from sksparse_nn.compression._samples import MOST_SAMPLES
from sksparse_nn.modules._layer_rows import MOST_POSITIONS, matrices
from sksparse_nn.solvers.layers import contribution_units, find_change_of

# Bytes of what is kept at once.
_MEMORY = 2**28


def wanted_outputs(original, n_calls, samples, kept=None):
    """Yield what layers of a network put out.

    Parameters
    ----------
    original : torch.nn.Module
        The network, on the CPU.

    n_calls : dict of str to int
        Layers, and how often each is called.

    samples : tuple
        Input of the network, read where `choose_samples` says, and weights or None.

    kept : dict of str to ndarray of int, default=None
        Outputs of each layer that are wanted; None for all.

    Yields
    ------
    name : str
        Of a layer, in the order of `n_calls`.

    wanted : list of list of ndarray of shape (n_rows, n_outputs)
        Its outputs, for each block and call.
    """
    if kept is None:
        kept = dict.fromkeys(n_calls, slice(None))
    n_bytes = {name: _count_bytes(original, name, samples) for name in n_calls}
    for names in in_chunks(n_bytes):
        chunk = {name: n_calls[name] for name in names}
        yield from read_wanted(original, chunk, kept, samples).items()


def refit_layer(
    module, name, wanted, samples, *, ridge=RIDGE, units=contribution_units, kept=None
):
    """Solve the weights of a layer again, in place, so that it answers as wanted.

    Parameters
    ----------
    module : torch.nn.Module
        The smaller network, on the CPU.

    name : str
        Of the layer.

    wanted : list of list of ndarray of shape (n_rows, n_outputs)
        What it should put out, for each block and call.

    samples : tuple
        Input of the network, read where `choose_samples` says, and weights or None.

    ridge : float, default=1e-3
        Penalty of the squared changes, in the units of the inputs.

    units : callable, default=contribution_units
        Takes the products of the inputs and their weights, and returns their units.
        Neither way gives large weights to inputs that hardly vary: these would leave
        the others of a row too few steps as integers, and count as important features.

    kept : ndarray of bool of shape (n_groups, n_outputs, n_inputs), default=None
        Weights that may change; None for all.

    Returns
    -------
    sums : list of LayerSums
        One per group: the inputs, and what the outputs lacked before. Of the last part
        of the inputs, where there are several.
    """
    layer = module.get_submodule(name)
    before = {key: x.detach().clone() for key, x in layer.named_parameters()}
    lost = []
    for columns in column_parts(layer):
        sums, squares = sum_missing(module, name, wanted, samples, columns)
        masks = repeat(None) if kept is None else kept[:, :, columns]
        weights = matrices(layer).detach().numpy()[:, :, columns]
        changes = [
            find_change_of(part, ridge, partial(units, weight=weight), mask)
            for part, weight, mask in zip(sums, weights, masks, strict=False)
        ]
        _change(layer, columns, changes)
        lost.append(squares)
    is_again = len(wanted[0]) > 1  # then inputs of later calls have changed, too
    if is_again and sum_missing(module, name, wanted, samples)[1] > lost[0]:
        layer.load_state_dict(before)
    return sums


@torch.no_grad()
def _change(layer, columns, changes):
    weight, bias = (np.stack(parts) for parts in zip(*changes, strict=True))
    W = matrices(layer).clone()
    W[:, :, columns] += torch.from_numpy(weight)
    layer.weight.copy_(W.reshape(layer.weight.shape))
    if layer.bias is not None:
        layer.bias += torch.from_numpy(bias.ravel())


def in_chunks(n_bytes):
    """Split layers into chunks that fit into memory.

    Parameters
    ----------
    n_bytes : dict of object to int
        Memory that each takes.

    Yields
    ------
    chunk : list
        Keys that take at most 256 MB together, or one that takes more.
    """
    chunk, total = [], 0
    for key, size in n_bytes.items():
        if chunk and total + size > _MEMORY:
            yield chunk
            chunk, total = [], 0
        chunk.append(key)
        total += size
    if chunk:
        yield chunk


def _count_bytes(module, name, samples):
    """Count the bytes of what a layer puts out, at most."""
    layer = module.get_submodule(name)
    n_rows = min(samples[0].shape[0], MOST_SAMPLES) * MOST_POSITIONS
    return n_rows * len(layer.weight) * layer.weight.element_size()
