"""New weights for the layers behind channels that were removed."""

import numpy as np
import torch

from sksparse_nn.compression._channel_sums import (
    column_parts,
    count_calls,
    read_wanted,
    sum_inputs,
    sum_missing,
)
from sksparse_nn.compression._refit import RIDGE
from sksparse_nn.compression._samples import MOST_SAMPLES
from sksparse_nn.modules._layer_rows import MOST_POSITIONS, matrices, mixes_channels
from sksparse_nn.solvers.layers import find_change_of

# Bytes of what is kept at once.
_MEMORY = 2**28


def refit_channels(module, original, couplings, keeps, samples):
    """Solve the weights behind removed channels again, in place.

    In the order of their calls, outputs of layers come as near to those of the same
    layer of the original network as ridge least squares can bring them.

    Parameters
    ----------
    module : torch.nn.Module
        The network without these channels, on the CPU.

    original : torch.nn.Module
        The network with them.

    couplings : Couplings
        Units of the original network.

    keeps : ndarray of bool of shape (n_units,)
        Units that are left.

    samples : tuple
        Input of the network, of which up to 5000 samples are read, and their weights or
        None.
    """
    n_calls = _find_behind(original, couplings, keeps, samples)
    kept = {name: couplings.kept(couplings.outputs[name], keeps) for name in n_calls}
    n_bytes = {name: _count_bytes(original, name, samples) for name in n_calls}
    for names in in_chunks(n_bytes):
        chunk = {name: n_calls[name] for name in names}
        for name, wanted in read_wanted(original, chunk, kept, samples).items():
            _refit(module, name, wanted, samples)


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


def _find_behind(original, couplings, keeps, samples):
    """Return how often layers are called, from the first that has lost inputs."""
    n_calls = count_calls(original, samples)
    names = list(n_calls)
    first = next(
        (i for i, name in enumerate(names) if not _keeps_all(couplings, name, keeps)),
        len(names),
    )
    return {name: n_calls[name] for name in names[first:]}


def _keeps_all(couplings, name, keeps):
    return np.append(keeps, True)[couplings.inputs[name]].all()


def _count_bytes(module, name, samples):
    """Count the bytes of what a layer puts out, at most."""
    layer = module.get_submodule(name)
    n_rows = min(samples[0].shape[0], MOST_SAMPLES) * MOST_POSITIONS
    return n_rows * len(layer.weight) * layer.weight.element_size()


def keep_means(module, original, couplings, keeps, samples):
    """Add what removed channels contribute in the mean to biases, in place.

    Parameters
    ----------
    module, original, couplings, keeps, samples : object
        As for `refit_channels`. Layers without a bias are left as they are.
    """
    narrower = {
        name: n_calls
        for name, n_calls in count_calls(original, samples).items()
        if not _keeps_all(couplings, name, keeps)
        if original.get_submodule(name).bias is not None
        if mixes_channels(original.get_submodule(name))
    }
    sums = sum_inputs(original, narrower, samples, centres=True)
    for name in sums:
        rows = couplings.kept(couplings.outputs[name], keeps)
        units = couplings.inputs[name]
        gone = ~np.append(keeps, True)[units]
        shift = _mean_outputs(original.get_submodule(name), sums[name], gone)
        with torch.no_grad():
            module.get_submodule(name).bias += torch.from_numpy(shift[rows])


def _mean_outputs(layer, sums, gone):
    """Return the mean contribution of some input channels to each output."""
    gone = np.repeat(gone, layer.weight[0, 0].numel())
    means = [np.concatenate([part.centred()[0] for part in group]) for group in sums]
    parts = zip(matrices(layer).numpy(), means, np.split(gone, len(sums)), strict=True)
    return np.concatenate([W @ (mean * part) for W, mean, part in parts])


def _refit(module, name, wanted, samples):
    layer = module.get_submodule(name)
    before = {key: x.detach().clone() for key, x in layer.named_parameters()}
    lost = []
    for columns in column_parts(layer):
        sums, squares = sum_missing(module, name, wanted, samples, columns)
        _change(layer, columns, [find_change_of(part, RIDGE) for part in sums])
        lost.append(squares)
    is_again = len(wanted[0]) > 1  # then inputs of later calls have changed, too
    if is_again and sum_missing(module, name, wanted, samples)[1] > lost[0]:
        layer.load_state_dict(before)


@torch.no_grad()
def _change(layer, columns, changes):
    weight, bias = (np.stack(parts) for parts in zip(*changes, strict=True))
    W = matrices(layer).clone()
    W[:, :, columns] += torch.from_numpy(weight)
    layer.weight.copy_(W.reshape(layer.weight.shape))
    if layer.bias is not None:
        layer.bias += torch.from_numpy(bias.ravel())
