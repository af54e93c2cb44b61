"""Removal of channels of convolutions, and of neurons of linear layers around them."""

import numpy as np

from sksparse_nn.compression._channel_refit import keep_means, refit_channels
from sksparse_nn.compression._graphs import couple_graph
from sksparse_nn.compression._layer_sums import column_parts, count_calls, sum_inputs
from sksparse_nn.compression._matching import in_chunks
from sksparse_nn.compression._narrowing import check_narrower, narrow
from sksparse_nn.compression._refit import RIDGE
from sksparse_nn.compression._samples import choose_for_layers
from sksparse_nn.compression._sequences import couple_sequence
from sksparse_nn.modules._layer_rows import matrices, mixes_channels, n_groups
from sksparse_nn.modules._linear_layers import has_matrix, select_layers
from sksparse_nn.solvers.layers import Reader, choose_groups, score_groups


def find_couplings(module, X):
    """Find the channels of a network that can only be removed together.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers, on the CPU.

    X : {ndarray, CSR matrix} of shape (n_samples, ...)
        Input of the network.

    Returns
    -------
    couplings : Couplings
        Its units, at least one.

    Raises
    ------
    ImportError
        If the network is no plain sequence and Torch-Pruning is not installed.
    ValueError
        If the network cannot be followed, or has no channels to remove.
    """
    couplings = couple_sequence(module) or couple_graph(module, X)
    if not couplings.n_units:
        raise ValueError(
            "structure='channel' needs hidden channels that can be removed. Got "
            f"{type(module).__name__} without any; use structure='weight'."
        )
    return couplings


def count_channels(couplings):
    """Count the channels of a network that can be removed.

    Parameters
    ----------
    couplings : Couplings
        Its units.

    Returns
    -------
    n_channels : int
        Those that linear layers and convolutions put out.
    """
    return sum(int((units >= 0).sum()) for units in _outputs(couplings))


def remove_channels(module, couplings, scores, n_removed, data, *, refit):
    """Remove the least important channels of a network.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers, on the CPU.

    couplings : Couplings
        Its units.

    scores : list of ndarray or None
        Importance of each weight, for each layer of a matrix. None to keep the channels
        that the outputs of the next layers need most.

    n_removed : int
        Number of channels to remove.

    data : tuple
        Samples for the outputs, targets, and weights or None.

    refit : bool
        Whether to solve the weights behind them again, for the outputs that layers had.
        Otherwise the mean of what is removed is added to biases.

    Returns
    -------
    module : torch.nn.Module
        The narrower network.

    Raises
    ------
    ValueError
        If the narrower network is not the one that ignores these channels.
    """
    X, _, weight = data
    samples = choose_for_layers(module, X, weight)
    if scores is None:
        found = _score_by_outputs(module, couplings, samples)
    else:
        found = _score_by_weights(module, couplings, scores)
    keeps = choose_groups(found, _outputs(couplings), n_removed)
    check_narrower(module, couplings, keeps, X)
    narrower = narrow(module, couplings, keeps)
    change = refit_channels if refit else keep_means
    change(narrower, module, couplings, keeps, samples)
    return narrower


def _outputs(couplings):
    """List the units of the outputs of layers of weights."""
    return [couplings.outputs[name] for name in couplings.inputs]


def _score_by_outputs(module, couplings, samples):
    """Score units by the outputs of the layers that read them."""
    classes, n_calls = couplings.classes(), count_calls(module, samples)
    readers = {
        part: _find_readers(module, couplings, classes == part, n_calls)
        for part in range(classes.max() + 1)
    }
    n_bytes = {
        part: sum(_count_bytes(module, name) for name in names)
        for part, names in readers.items()
    }
    scores = np.zeros(couplings.n_units)
    for parts in in_chunks(n_bytes):
        called = {name: n_calls[name] for part in parts for name in readers[part]}
        sums = sum_inputs(module, called, samples)
        for part in parts:
            members = np.flatnonzero(classes == part)
            found = [
                _parts(module.get_submodule(name), couplings, name, members, sums[name])
                for name in readers[part]
            ]
            scores[members] = score_groups(found, len(members), RIDGE)
    return scores


def _find_readers(module, couplings, is_inside, n_calls):
    """List the layers that read some units."""
    is_inside = np.append(is_inside, False)
    return [
        name
        for name, units in couplings.inputs.items()
        if is_inside[units].any() and name in n_calls
        if mixes_channels(module.get_submodule(name))
    ]


def _count_bytes(module, name):
    """Count the bytes of the products of a layer's inputs."""
    layer = module.get_submodule(name)
    widths = [part.stop - part.start for part in column_parts(layer)]
    return 8 * n_groups(layer) * sum(width**2 for width in widths)


def _parts(layer, couplings, name, members, sums):
    """Return the parts of a layer, with the numbers of units among the members."""
    numbers = np.full(couplings.n_units + 1, -1)
    numbers[members] = np.arange(len(members))
    groups = np.repeat(numbers[couplings.inputs[name]], layer.weight[0, 0].numel())
    return [
        Reader(part, W[:, columns], some[columns])
        for of_group, W, some in zip(
            sums, matrices(layer).numpy(), np.split(groups, len(sums)), strict=True
        )
        for part, columns in zip(of_group, column_parts(layer), strict=True)
    ]


def _score_by_weights(module, couplings, scores):
    """Score units by the norms of all their incoming and outgoing weights."""
    layers = select_layers(module, has_matrix)
    found = dict(zip(layers, scores, strict=True))
    into, out = np.zeros((2, couplings.n_units + 1))
    for name, units in couplings.inputs.items():
        layer = module.get_submodule(name)
        squares = np.square(found[layer]).reshape(len(found[layer]), -1)
        np.add.at(into, couplings.outputs[name], squares.sum(axis=1))
        if mixes_channels(layer):
            kernels = squares.reshape(n_groups(layer), -1, squares.shape[1])
            columns = kernels.sum(axis=1).reshape(len(units), -1).sum(axis=1)
            np.add.at(out, units, columns)
    return _in_units_of_class(np.sqrt(into * out)[:-1], couplings.classes())


def _in_units_of_class(scores, classes):
    """Divide scores by the root mean square of those that share a layer."""
    squares = np.bincount(classes, scores**2) / np.bincount(classes)
    return scores / np.where(squares > 0, np.sqrt(squares), 1)[classes]
