"""A small residual network for small images."""

from __future__ import annotations

import torch
from torch import nn


class ResNet8(nn.Sequential):
    """The residual network of eight layers of MLPerf Tiny.

    A convolution, three stacks of two convolutions each with a sum over them, the mean
    of each channel, and a linear layer: 78,000 parameters for ten classes of images of
    32 x 32 pixels, and 12.5 million multiply-adds.

    Parameters
    ----------
    n_features : int
        Number of values of an image; not used, but modules of networks take it.

    n_outputs : int
        Number of outputs.

    image_shape : tuple of int
        Channels, height and width.

    width : int, default=16
        Channels of the first stack. The second has twice as many, the third four times.

    References
    ----------
    C. Banbury et al. (2021), MLPerf Tiny benchmark. NeurIPS Datasets and Benchmarks.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import ResNet8
    >>> module = ResNet8(3072, 10, image_shape=(3, 32, 32))
    >>> module(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    >>> sum(weights.numel() for weights in module.parameters())
    77946
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        *,
        image_shape: tuple[int, ...],
        width: int = 16,
    ) -> None:
        super().__init__(
            *convolution(image_shape[0], width),
            Residual(width, width, stride=1),
            Residual(width, 2 * width, stride=2),
            Residual(2 * width, 4 * width, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4 * width, n_outputs),
        )


class Residual(nn.Module):
    """Two convolutions, and a sum with what they were given.

    Parameters
    ----------
    n_inputs, n_channels : int
        Channels before and after.

    stride : int
        Distance between neighbouring places of the first convolution.
    """

    def __init__(self, n_inputs, n_channels, *, stride):
        super().__init__()
        self.body = nn.Sequential(
            *convolution(n_inputs, n_channels, stride=stride),
            *convolution(n_channels, n_channels)[:2],
        )
        changes = stride > 1 or n_inputs != n_channels
        self.shortcut = (
            nn.Conv2d(n_inputs, n_channels, 1, stride) if changes else nn.Identity()
        )

    def forward(self, X):
        """Run the stack.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_inputs, height, width)
            Images.

        Returns
        -------
        X : Tensor of shape (n_rows, n_channels, ...)
            Without negative values.
        """
        return torch.relu(self.body(X) + self.shortcut(X))


def convolution(n_inputs, n_channels, *, stride=1):
    """Make a convolution of 3 x 3 pixels and what follows it.

    Parameters
    ----------
    n_inputs, n_channels : int
        Channels before and after.

    stride : int, default=1
        Distance between neighbouring places.

    Returns
    -------
    layers : list of torch.nn.Module
        The convolution, a normalisation of each channel, and a rectifier.
    """
    place = nn.Conv2d(n_inputs, n_channels, 3, stride, 1, bias=False)
    return [place, nn.BatchNorm2d(n_channels), nn.ReLU()]
