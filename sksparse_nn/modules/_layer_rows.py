"""What a linear layer or a convolution multiplies, as rows of a matrix.

A convolution has a row per position of its output: the inputs under its kernel. Where
there are many positions, some are drawn per sample.
"""

import numpy as np
import torch
from torch import nn

from sksparse_nn.modules._facts import is_convolution

# Positions per sample, at most.
MOST_POSITIONS = 16


def n_groups(layer):
    """Return how many matrices a layer has side by side.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain linear layer or convolution.

    Returns
    -------
    n_groups : int
        Those of a convolution; one of a linear layer.
    """
    return getattr(layer, "groups", 1)


def mixes_channels(layer):
    """Return whether each output of a layer reads several channels.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain linear layer or convolution.

    Returns
    -------
    mixes_channels : bool
        False for a depthwise convolution.
    """
    return n_groups(layer) == 1 or layer.weight.shape[1] > 1


def matrices(layer):
    """Return the weights of a layer as one matrix per group.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain linear layer or convolution.

    Returns
    -------
    weights : Tensor of shape (n_groups, n_outputs, n_inputs)
        To be read.
    """
    weight = layer.weight.detach()
    return weight.reshape(n_groups(layer), len(weight) // n_groups(layer), -1)


def input_rows(layer, given, seed):
    """Return what the matrices of a layer multiply.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain linear layer or convolution.

    given : Tensor
        Its input.

    seed : int
        Of the positions.

    Returns
    -------
    rows : ndarray of shape (n_groups, n_rows, n_inputs)
        A copy.

    which : ndarray of int of shape (n_rows,)
        Indices along the first dimension of the input.
    """
    parts = _windows(layer, given) if is_convolution(layer) else given
    n_dims = layer.weight.ndim - 1  # of what a position has
    which, places = _draw(parts.shape[:-n_dims], seed)
    rows = parts[places].flatten(1).reshape(len(which), n_groups(layer), -1)
    return rows.movedim(1, 0).cpu().numpy().copy(), which


def output_rows(layer, outputs, seed):
    """Return the outputs of a layer at the positions of `input_rows`.

    Parameters
    ----------
    layer : torch.nn.Module
        A plain linear layer or convolution.

    outputs : Tensor
        Its output.

    seed : int
        Of the positions.

    Returns
    -------
    rows : ndarray of shape (n_rows, n_outputs)
        A copy.

    which : ndarray of int of shape (n_rows,)
        Indices along the first dimension of the output.
    """
    if is_convolution(layer):
        n_dims = layer.weight.ndim - 2
        outputs = _batched(layer, outputs).movedim(-n_dims - 1, -1)
    which, places = _draw(outputs.shape[:-1], seed)
    return outputs[places].cpu().numpy().copy(), which


def _batched(layer, images):
    return images if images.ndim == layer.weight.ndim else images[None]


def _windows(layer, given):
    """Return a view of the inputs under the kernel, at each position."""
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    given = _batched(layer, given)
    images = nn.functional.pad(given, layer._reversed_padding_repeated_twice, mode=mode)
    n_dims = images.ndim - 2
    for i in range(n_dims):
        width = layer.dilation[i] * (layer.kernel_size[i] - 1) + 1
        images = images.unfold(2 + i, width, layer.stride[i])
        images = images[..., :: layer.dilation[i]]
    return images.movedim(1, n_dims + 1)


def _draw(shape, seed):
    """Draw positions of each sample: indices of samples, and of all dimensions."""
    n_samples, n_positions = shape[0], int(np.prod(shape[1:]))
    chosen = np.tile(np.arange(n_positions), (n_samples, 1))
    if n_positions > MOST_POSITIONS:
        order = np.random.default_rng(seed).random(chosen.shape)
        chosen = np.sort(order.argpartition(MOST_POSITIONS, axis=1)[:, :MOST_POSITIONS])
    which = np.repeat(np.arange(n_samples), chosen.shape[1])
    places = np.unravel_index(chosen.ravel(), shape[1:]) if shape[1:] else ()
    return which, tuple(map(torch.from_numpy, (which, *places)))
