"""Numbers that a network holds, layer by layer, and the work that they make."""

from functools import singledispatch

import numpy as np
import torch
from scipy import sparse
from sklearn.utils import _safe_indexing
from torch import nn

from sksparse_nn.modules._quantized import CompressedLinear

_CONVOLUTIONS = nn.Conv1d | nn.Conv2d | nn.Conv3d
_NORMS = (
    nn.modules.batchnorm._BatchNorm
    | nn.modules.instancenorm._InstanceNorm
    | nn.LayerNorm
    | nn.GroupNorm
    | nn.PReLU
)


def network_counts(module, rows):
    """Count the numbers of a network, and its multiplications for a row.

    Parameters
    ----------
    module : torch.nn.Module
        A network.

    rows : {ndarray, sparse matrix} of shape (n_samples, n_inputs)
        What it is given; one row of it goes through.

    Returns
    -------
    counts : list of dict
        For each layer its ``parameters``, those that are ``nonzero``,
        ``bytes_memory``, and ``multiply_adds`` of a row. A weight that several layers
        share is counted in the first.

    Raises
    ------
    TypeError
        If the work of a layer is not known.
    """
    layers = {name: layer for name, layer in module.named_modules() if _holds(layer)}
    for name, layer in layers.items():
        if _is_unknown(layer):
            raise TypeError(
                f"compression_report cannot count the work of {type(layer).__name__} "
                f"({name!r} of the network). It knows linear layers, convolutions, "
                "normalisations, PReLU and embeddings."
            )
    outputs = _outputs_for_a_row(module, layers.values(), rows)
    counted, seen = [], set()
    for layer in layers.values():
        numbers = _numbers(layer, seen)
        work = sum(work_for_each_output(layer) * n for n in outputs[layer])
        counted.append({**numbers, "multiply_adds": round(work)})
    return counted


@singledispatch
def work_for_each_output(layer):
    """Return the multiplications for a number that a layer gives, in the mean.

    Parameters
    ----------
    layer : torch.nn.Module
        With parameters of its own.

    Returns
    -------
    work : float
        By zeros is not multiplied.

    Raises
    ------
    TypeError
        If it is not known.
    """
    raise TypeError(f"The work of {type(layer).__name__} is not known.")


@work_for_each_output.register
def _of_linear(layer: nn.Linear):
    return int(layer.weight.count_nonzero()) / layer.out_features


@work_for_each_output.register
def _of_compressed(layer: CompressedLinear):
    return layer.n_nonzero / layer.out_features


@work_for_each_output.register
def _of_convolution(layer: _CONVOLUTIONS):
    return int(layer.weight.count_nonzero()) / layer.out_channels


@work_for_each_output.register
def _of_norm(layer: _NORMS):
    return 1.0


@work_for_each_output.register
def _of_embedding(layer: nn.Embedding):
    return 0.0


def _is_unknown(layer):
    dispatch = work_for_each_output.dispatch
    return dispatch(type(layer)) is dispatch(object)


def _holds(layer):
    """Tell whether a layer has numbers of its own, not only in its parts."""
    own = next(layer.parameters(recurse=False), None)
    return own is not None or isinstance(layer, CompressedLinear)


def _numbers(layer, seen):
    own = [p for p in layer.parameters(recurse=False) if id(p) not in seen]
    seen.update(map(id, own))
    counts = {
        "parameters": sum(p.numel() for p in own),
        "nonzero": sum(int(p.count_nonzero()) for p in own),
        "bytes_memory": sum(p.nbytes for p in own),
    }
    if isinstance(layer, CompressedLinear):
        counts["parameters"] += layer.in_features * layer.out_features
        counts["nonzero"] += layer.n_nonzero
        counts["bytes_memory"] += layer.n_bytes
    else:
        buffers = layer.buffers(recurse=False)
        counts["bytes_memory"] += sum(b.nbytes for b in buffers if b.ndim)
    return counts


@torch.inference_mode()
def _outputs_for_a_row(module, layers, rows):
    """Count the numbers that each layer gives for a row, at each call."""
    found = {layer: [] for layer in layers}
    handles = [
        layer.register_forward_hook(
            lambda layer, given, output: found[layer].append(output.numel())
        )
        for layer in layers
    ]
    like, row = next(module.parameters()), _safe_indexing(rows, [0])
    row = row.toarray() if sparse.issparse(row) else np.array(row)
    was_training = module.training
    try:
        module.eval()(torch.from_numpy(row).to(like))
    finally:
        module.train(was_training)
        for handle in handles:
            handle.remove()
    return found
