"""A small network of convolutions in sequence."""

from __future__ import annotations

from torch import nn

from sksparse_nn.modules._resnet import convolution


class PlainConvNet(nn.Sequential):
    """Three convolutions with pooling between them, and a linear layer.

    Parameters
    ----------
    n_features : int
        Number of values of an image; not used, but modules of networks take it.

    n_outputs : int
        Number of outputs.

    image_shape : tuple of int
        Channels, height and width.

    width : int, default=16
        Channels of the first convolution; the other two have twice as many.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import PlainConvNet
    >>> module = PlainConvNet(64, 10, image_shape=(1, 8, 8))
    >>> module(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
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
            nn.MaxPool2d(2, ceil_mode=True),
            *convolution(width, 2 * width),
            nn.MaxPool2d(2, ceil_mode=True),
            *convolution(2 * width, 2 * width),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * width, n_outputs),
        )
