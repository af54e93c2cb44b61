"""Which channels of any network go together, as Torch-Pruning finds them."""

import warnings
from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import torch

from sksparse_nn.compression._couplings import ChannelGraph, has_channels
from sksparse_nn.modules._facts import NORMS
from sksparse_nn.modules._linear_layers import multiplies_by_weights
from sksparse_nn.modules._run import run

# Samples to follow through the network.
_ROWS = 2


def couple_graph(module, X):
    """Find the channels that go together in a network with sums, joins and branches.

    Parameters
    ----------
    module : torch.nn.Module
        A network of plain layers, on the CPU.

    X : {ndarray, CSR matrix} of shape (n_samples, ...)
        Input of the network, of which two samples are followed.

    Returns
    -------
    couplings : Couplings
        The network's outputs are never among the units.

    Raises
    ------
    ImportError
        If Torch-Pruning is not installed.
    ValueError
        If it cannot follow the network.
    """
    pruning = _import()
    given = _example(module, X[:_ROWS])
    twin = deepcopy(module).requires_grad_(True)
    names = {layer: name for name, layer in twin.named_modules()}
    graph, found = ChannelGraph(module), pruning.DependencyGraph()
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        with _naming(type(module).__name__):
            found.build_dependency(twin, given, verbose=False)
        for layer in [x for x in found.module2node if x in names]:
            if multiplies_by_weights(layer):
                with _naming(
                    f"{type(layer).__name__} ({names[layer]!r} of the network)"
                ):
                    _add_links(graph, pruning, found, layer, names)
    return graph.couplings()


@contextmanager
def _naming(place):
    """Name a place in what Torch-Pruning raises."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            "structure='channel' needs layers whose channels Torch-Pruning can follow. "
            f"Got {place}, where it fails with {type(error).__name__}: {error}; use "
            "structure='weight'."
        ) from error


def _import():
    try:
        import torch_pruning
    except ImportError as error:
        raise ImportError(
            "structure='channel' needs Torch-Pruning for a network that is no plain "
            "torch.nn.Sequential. Got none; install it with pip install "
            '"sksparse-nn[prune]".'
        ) from error
    return torch_pruning


def _example(module, X):
    """Return samples as the module gets them."""
    seen = []
    handle = module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        run(module, X, _ROWS)
    finally:
        handle.remove()
    return seen[0].clone()  # tensors of inference mode cannot be followed


def _add_links(graph, pruning, found, layer, names):
    """Link all that goes with the outputs of a layer."""
    root = (names[layer], "outputs")
    prune = found.get_pruner_of_module(layer).prune_out_channels
    group = found.get_pruning_group(layer, prune, list(range(graph.width(root))))
    for item in group:
        target, indices = item.dep.target.module, np.array(item.idxs, int)
        roots = np.array(item.root_idxs, int)
        if isinstance(target, pruning.ops._OutputOp):
            graph.fix(root, roots)
        elif isinstance(target, torch.nn.Parameter) or (
            target in names and not has_channels(target) and any(target.parameters())
        ):
            graph.fix(root, roots)  # it has numbers per channel that are not known
        elif target in names and has_channels(target):
            place = _place(found, item, target, names)
            if indices.max(initial=-1) >= graph.width(place):
                raise ValueError(f"{place[0]!r} has no channel {indices.max()}")
            graph.link(root, roots, place, indices)


def _place(found, item, target, names):
    is_output = isinstance(target, NORMS) or found.is_out_channel_pruning_fn(
        item.dep.handler
    )
    return names[target], "outputs" if is_output else "inputs"
