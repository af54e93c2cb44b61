"""Convolutions of low rank in place of a convolution."""

import torch

from sksparse_nn.modules._compressed_convolution import (
    bare_convolution,
    with_weights,
)
from sksparse_nn.solvers.layers import Tucker


def factors_of(layer, factors):
    """Return convolutions of low rank that approximate a convolution.

    Parameters
    ----------
    layer : torch.nn.Module
        A convolution of one group.

    factors : LowRank or Tucker
        Of its matrix, or of its kernel.

    Returns
    -------
    layers : list of torch.nn.Module
        In the order in which they run: one to the combinations of input channels, if
        these are factors of Tucker's, one with the kernel of the layer, and one to its
        output channels.
    """
    kernel_size = layer.weight.shape[2:]
    before, kernel = [], getattr(factors, "right", None)
    if isinstance(factors, Tucker):
        before, kernel = [_mix_channels(factors.into, kernel_size)], factors.core
    kernel = torch.from_numpy(kernel).reshape(len(kernel), -1, *kernel_size)
    bias = add_shift(layer.bias, factors.shift)
    middle = with_weights(layer, kernel, None)
    return [*before, middle, _mix_channels(factors.left, kernel_size, bias)]


def add_shift(bias, shift):
    """Return a bias that also makes up for the means which factors do not have.

    Parameters
    ----------
    bias : Tensor of shape (n_outputs,) or None
        Bias of the layer.

    shift : ndarray of shape (n_outputs,)
        Means.

    Returns
    -------
    bias : Tensor of shape (n_outputs,)
        On the CPU.
    """
    shift = torch.from_numpy(shift)
    return shift if bias is None else bias.detach().cpu() + shift


def _mix_channels(weight, kernel_size, bias=None):
    """Return a convolution of single positions."""
    shape = (*weight.shape, *[1] * len(kernel_size))
    bare = bare_convolution(shape, {"groups": 1})
    return with_weights(bare, torch.from_numpy(weight).reshape(shape), bias)
