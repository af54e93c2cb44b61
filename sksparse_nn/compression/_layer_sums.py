"""Sums over what layers take and put out while samples run through a network."""

from contextlib import contextmanager
from itertools import dropwhile, pairwise

import numpy as np

from sksparse_nn.compression._samples import choose_samples
from sksparse_nn.modules._hooks import watch_layers
from sksparse_nn.modules._layer_rows import input_rows, matrices, n_groups, output_rows
from sksparse_nn.modules._linear_layers import multiplies_by_weights
from sksparse_nn.modules._run import run
from sksparse_nn.solvers.layers import LayerSums

# Samples per block, and inputs of a layer whose products are formed at once.
_BLOCK, _WIDTH = 64, 4096


def column_parts(layer):
    """Split the inputs of a layer, so that their products fit into memory.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain linear layer or convolution.

    Returns
    -------
    parts : list of slice
        Columns of its matrices.
    """
    n_inputs = matrices(layer).shape[2]
    edges = np.linspace(0, n_inputs, -(-n_inputs // _WIDTH) + 1).astype(int)
    return [slice(*edge) for edge in pairwise(edges.tolist())]


def count_calls(module, samples):
    """Count how often each layer of weights is called.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    samples : tuple
        Input of the network, of which a block is read, and weights or None.

    Returns
    -------
    n_calls : dict of str to int
        By the name of the layer, in the order of the first calls. Without layers that
        are never called.
    """
    layers = {x: name for name, x in module.named_modules() if multiplies_by_weights(x)}
    n_calls = {}

    def note(layer, given):
        n_calls[layers[layer]] = n_calls.get(layers[layer], 0) + 1

    with watch_layers(layers, note, inputs=True):
        run(module, samples[0][:_BLOCK], _BLOCK)
    return n_calls


def calls_from(n_calls, has_changed):
    """Return the calls from the first layer on that has changed.

    Parameters
    ----------
    n_calls : dict of str to int
        Layers in the order of their calls, and how often each is called.

    has_changed : callable
        Takes the name of a layer.

    Returns
    -------
    n_calls : dict of str to int
        That layer and all behind it.
    """
    return dict(dropwhile(lambda item: not has_changed(item[0]), n_calls.items()))


def sum_inputs(module, n_calls, samples, *, centres=None):
    """Sum the products of the inputs of layers.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    n_calls : dict of str to int
        Layers, and how often each is called.

    samples : tuple
        Input of the network, read where `choose_samples` says, and weights or None.

    centres : bool or None, default=None
        Whether to take inputs from their means; None for those of layers with a bias.

    Returns
    -------
    sums : dict of str to list of list of LayerSums
        For each layer, group, and part of its columns. Without outputs.
    """
    sums, columns = {}, {}
    for name in n_calls:
        columns[name] = column_parts(module.get_submodule(name))
        parts = [_start(module, name, centres) for _ in columns[name]]
        sums[name] = list(map(list, zip(*parts, strict=True)))
    for X, weight, seed in _blocks(*samples):
        for name, calls in _read(module, n_calls, X, seed, is_input=True).items():
            for inputs, which in calls:
                weights = _weights_of(which, weight, X.shape[0])
                for group, rows in zip(sums[name], inputs, strict=True):
                    for part, some in zip(group, columns[name], strict=True):
                        part.add(rows[:, some], rows[:, :0], weights)
    for name, groups in sums.items():
        _check_seen(name, groups[0][0])
    return sums


def sum_outputs(module, n_calls, samples):
    """Sum the outputs of layers, and their products with each other.

    Parameters
    ----------
    module, n_calls, samples : object
        As for `sum_inputs`.

    Returns
    -------
    sums : dict of str to LayerSums
        Of the outputs, taken from their means.
    """
    sums = {name: LayerSums() for name in n_calls}
    for X, weight, seed in _blocks(*samples):
        for name, calls in _read(module, n_calls, X, seed, is_input=False).items():
            for rows, which in calls:
                weights = _weights_of(which, weight, X.shape[0])
                sums[name].add(rows, rows[:, :0], weights)
    for name, part in sums.items():
        _check_seen(name, part)
    return sums


def sum_channels(module, n_calls, samples):
    """Sum the products of the input channels of convolutions, at all positions.

    Parameters
    ----------
    module, n_calls, samples : object
        As for `sum_inputs`; convolutions of one group.

    Returns
    -------
    sums : dict of str to LayerSums
        Of the input channels, not taken from their means.
    """
    sums = {name: LayerSums(has_bias=False) for name in n_calls}
    for X, weight, seed in _blocks(*samples):
        for name, calls in _read(module, n_calls, X, seed, is_input=True).items():
            n_channels = module.get_submodule(name).weight.shape[1]
            for inputs, which in calls:
                rows = inputs[0].reshape(len(which), n_channels, -1).swapaxes(1, 2)
                weights = _weights_of(which, weight, X.shape[0])
                if weights is not None:
                    weights = np.repeat(weights, rows.shape[1])
                rows = rows.reshape(-1, n_channels)
                sums[name].add(rows, rows[:, :0], weights)
    return sums


def read_wanted(module, n_calls, kept, samples):
    """Return what layers put out, at the positions of the sums.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers.

    n_calls : dict of str to int
        Layers, and how often each is called.

    kept : dict of str to ndarray of int
        Outputs of each layer to return.

    samples : tuple
        As for `sum_inputs`.

    Returns
    -------
    wanted : dict of str to list of list of ndarray of shape (n_rows, n_outputs)
        For each layer, block and call.
    """
    wanted = {name: [] for name in n_calls}
    for X, _, seed in _blocks(*samples):
        for name, calls in _read(module, n_calls, X, seed, is_input=False).items():
            wanted[name].append([rows[:, kept[name]] for rows, _ in calls])
    return wanted


def sum_missing(module, name, wanted, samples, columns=slice(None)):
    """Sum the products of a layer's inputs and what its outputs lack.

    Parameters
    ----------
    module : torch.nn.Module
        The network without some channels.

    name : str
        Of the layer.

    wanted : list of list of ndarray of shape (n_rows, n_outputs)
        What it should put out, for each block and call.

    samples : tuple
        As for `sum_inputs`.

    columns : slice, default=slice(None)
        Inputs to take.

    Returns
    -------
    sums : list of LayerSums
        One per group.

    squares : float
        Weighted sum of the squares that are missing.
    """
    sums, squares = _start(module, name, None), 0.0
    for inputs, missing, weights in read_missing(module, name, wanted, samples):
        for part, rows, lacks in zip(sums, inputs, missing, strict=True):
            part.add(rows[:, columns], lacks, weights)
        of_rows = np.square(missing, dtype=np.float64).sum(axis=(0, 2))
        squares += of_rows.sum() if weights is None else weights @ of_rows
    _check_seen(name, sums[0])
    return sums, squares


def read_missing(module, name, wanted, samples):
    """Yield the inputs of a layer and what its outputs lack, block by block.

    Parameters
    ----------
    module, name, wanted, samples : object
        As for `sum_missing`.

    Yields
    ------
    inputs : ndarray of shape (n_groups, n_rows, n_inputs)
        Of the layer.

    missing : ndarray of shape (n_groups, n_rows, n_outputs)
        What is wanted, less its outputs.

    weights : ndarray of shape (n_rows,) or None
        Weights of the rows.
    """
    layer, n_calls = module.get_submodule(name), {name: len(wanted[0])}
    W = matrices(layer).numpy()
    bias = 0 if layer.bias is None else layer.bias.detach().numpy()
    for (X, weight, seed), block in zip(_blocks(*samples), wanted, strict=True):
        taken = _read(module, n_calls, X, seed, is_input=True)[name]
        for (inputs, which), rows in zip(taken, block, strict=True):
            if len(rows) != len(which):
                raise _changing(name)
            lacks = (rows - bias).reshape(len(which), len(W), -1)
            lacks = lacks.swapaxes(0, 1) - inputs @ W.swapaxes(1, 2)
            yield inputs, lacks, _weights_of(which, weight, X.shape[0])


def _start(module, name, centres):
    layer = module.get_submodule(name)
    centres = layer.bias is not None if centres is None else centres
    return [LayerSums(has_bias=centres) for _ in range(n_groups(layer))]


def _blocks(X, sample_weight):
    """Yield blocks of nearly equal size, their weights, and where they start."""
    X, weight = choose_samples(X, sample_weight)
    n_samples = X.shape[0]
    edges = np.linspace(0, n_samples, -(-n_samples // _BLOCK) + 1).astype(int)
    for start, stop in pairwise(edges.tolist()):
        block = slice(start, stop)
        yield X[block], None if weight is None else weight[block], start


class UnsolvableError(ValueError):
    """The samples do not tell what a layer should put out."""


class _Done(Exception):  # noqa: N818
    """All that was wanted has been seen."""


def _read(module, n_calls, X, seed, *, is_input):
    """Run one block, and return the rows of each call of some layers."""
    found = {name: [] for name in n_calls}
    names = {module.get_submodule(name): name for name in n_calls}
    left = sum(n_calls.values())
    if not left:
        return found

    def note(layer, rows):
        nonlocal left
        found[names[layer]].append(rows)
        left -= 1
        if not left:
            raise _Done

    def before(layer, given):
        note(layer, input_rows(layer, given[0], seed))

    def after(layer, given, output):
        note(layer, output_rows(layer, output, seed))

    if is_input:
        handles = [layer.register_forward_pre_hook(before) for layer in names]
    else:  # ahead of the user's hooks, which may change the output
        handles = [layer.register_forward_hook(after, prepend=True) for layer in names]
    with _hooked(handles):
        try:
            run(module, X, X.shape[0])
        except _Done:
            return found
    name = next(name for name in n_calls if len(found[name]) != n_calls[name])
    raise _changing(name)


def _check_seen(name, sums):
    if sums.is_empty:
        raise UnsolvableError(
            f"Layer {name!r} of the network sees none of the samples, so what it puts "
            "out is not known. Give more samples, or use structure='weight' of "
            "NetPruner."
        )


def _changing(name):
    return UnsolvableError(
        "Layers can be solved again where they see as many samples each time. Got "
        f"{name!r} of the network, whose calls depend on the samples; use refit=False, "
        "or structure='weight' of NetPruner."
    )


@contextmanager
def _hooked(handles):
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _weights_of(which, weight, n_samples):
    """Return the weights of rows; the mean where rows are not of samples."""
    if weight is None or not len(which):
        return None
    n_parts = which.max() + 1
    if n_parts % n_samples:
        return np.full(len(which), weight.mean())
    return weight[which // (n_parts // n_samples)]
