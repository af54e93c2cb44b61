"""Convolutions that store their weights in less memory."""

from __future__ import annotations

import torch
from numpy.typing import NDArray
from torch import nn

from sksparse_nn.modules._compressed import CompressedMatrix
from sksparse_nn.modules._modes import in_full_precision
from sksparse_nn.modules._pruned import PrunedMatrix
from sksparse_nn.modules._quantized import QuantizedMatrix

CONVOLUTIONS = nn.Conv1d | nn.Conv2d | nn.Conv3d

# By the number of dimensions of the weights.
_OF_DIMENSIONS = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}


class CompressedConvolution(CompressedMatrix):
    """A convolution that is no longer trained.

    Its matrix has a row per output channel: the kernels of all input channels of its
    group, one after the other.

    Parameters
    ----------
    layer : torch.nn.Module
        A convolution, plain or compressed.
    """

    def __init__(self, layer: torch.nn.Module) -> None:
        shape = tuple(layer.weight.shape)
        super().__init__(layer.bias, (shape[0], layer.weight[0].numel()))
        self._weight_shape = shape
        self.geometry = geometry_of(layer)
        # Hidden from torch, which would list it as a part, and not stored.
        vars(self)["_bare"] = bare_convolution(shape, self.geometry)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Return the shape of the plain layer's weights.

        Returns
        -------
        shape : tuple of int
            Output channels, input channels per group, and the size of the kernel.
        """
        return self._weight_shape

    @property
    def out_channels(self) -> int:
        """Return the number of output channels.

        Returns
        -------
        n_channels : int
            Rows of the matrix.
        """
        return self._weight_shape[0]

    def plain(self) -> torch.nn.Module:
        """Return a convolution of torch with these weights.

        Returns
        -------
        layer : torch.nn.Module
            With parameters of its own.
        """
        return with_weights(self._bare, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return channels, kernel and so on as text.

        Returns
        -------
        text : str
            In the form of torch.
        """
        bare = bare_convolution(self._weight_shape, self.geometry)
        bare.bias = self.bias
        return bare.extra_repr()

    def _convolve(self, X, weight, bias):
        return self._bare._conv_forward(X, weight, bias)

    def __getstate__(self):
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_bare"}

    def __setstate__(self, state):
        super().__setstate__(state)
        vars(self)["_bare"] = bare_convolution(self._weight_shape, self.geometry)


class PrunedConvolution(CompressedConvolution, PrunedMatrix):
    """A convolution of which only the nonzero weights are stored.

    Parameters
    ----------
    layer : torch.nn.Module
        A convolution with many zero weights.
    """

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__(layer)
        self._store(layer.weight.detach().cpu().flatten(1).numpy())

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Convolve samples.

        Parameters
        ----------
        X : Tensor of shape (..., n_channels, ...)
            Samples.

        Returns
        -------
        outputs : Tensor of shape (..., n_output_channels, ...)
            As of the plain layer.
        """
        weight = self.values.reshape(self._weight_shape)
        return self._convolve(X, weight, self.bias)


class QuantizedConvolution(CompressedConvolution, QuantizedMatrix):
    """A convolution whose weights are small integers, with scales.

    Parameters
    ----------
    layer : torch.nn.Module
        A convolution, plain or pruned.

    n_bits : int
        8 or 4.

    input_scale : float, "row" or None
        Scale of the integers that the input is rounded to: one number for all samples,
        or 1/127 of the largest value of each; None does not round the input.

    squares : ndarray of shape (n_groups, n_inputs, n_inputs) or None, default=None
        As `quantize` takes them.
    """

    def __init__(
        self,
        layer: torch.nn.Module,
        n_bits: int,
        input_scale: float | str | None,
        squares: NDArray | None = None,
    ) -> None:
        super().__init__(layer)
        weight = layer.weight.detach().cpu().flatten(1).numpy()
        self._store(weight, n_bits, input_scale, squares)

    @in_full_precision
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Convolve samples.

        Parameters
        ----------
        X : Tensor of shape (..., n_channels, ...)
            Samples.

        Returns
        -------
        outputs : Tensor of shape (..., n_output_channels, ...)
            As of the plain layer, with rounded inputs where these are rounded.
        """
        if not self._rounds_input:
            return self._convolve(X, self._float_weight(), self.bias)
        n_dims = len(self._weight_shape) - 1
        integers, scale = self._round(X, n_dims)
        weight = self.values.to(X.dtype).reshape(self._weight_shape)
        out = self._convolve(integers, weight, None)
        by_channel = (-1,) + (1,) * (n_dims - 1)
        out = out * (scale * self.scales[:, 0].to(X.dtype).reshape(by_channel))
        return out if self.bias is None else out + self.bias.reshape(by_channel)


def geometry_of(layer):
    """Return how a convolution moves its kernels, as arguments of torch's.

    Parameters
    ----------
    layer : torch.nn.Module
        A convolution, plain or compressed.

    Returns
    -------
    geometry : dict
        Stride, padding and so on.
    """
    if isinstance(layer, CompressedConvolution):
        return layer.geometry
    names = "stride", "padding", "dilation", "groups", "padding_mode"
    return {name: getattr(layer, name) for name in names}


def bare_convolution(shape, geometry):
    """Return a convolution of torch without weights.

    Parameters
    ----------
    shape : tuple of int
        Of its weights.

    geometry : dict
        From `geometry_of`.

    Returns
    -------
    layer : torch.nn.Module
        Its parameters are None.
    """
    kind, n_channels = _OF_DIMENSIONS[len(shape)], shape[1] * geometry["groups"]
    sizes = n_channels, shape[0], shape[2:]
    layer = kind(*sizes, **geometry, bias=False, device="meta")
    layer._parameters = {"weight": None, "bias": None}
    return layer.eval()


def with_weights(layer, weight, bias):
    """Return a convolution of torch with other weights.

    Parameters
    ----------
    layer : torch.nn.Module
        A convolution, plain or bare.

    weight : Tensor of shape (n_output_channels, n_channels, *kernel_size)
        Weights.

    bias : Tensor of shape (n_output_channels,) or None
        Added to each product.

    Returns
    -------
    layer : torch.nn.Module
        With parameters of its own.
    """
    twin = bare_convolution(weight.shape, geometry_of(layer))
    parameters = {"weight": weight, "bias": bias}
    twin._parameters = {
        name: None if value is None else nn.Parameter(value.detach().clone())
        for name, value in parameters.items()
    }
    return twin
