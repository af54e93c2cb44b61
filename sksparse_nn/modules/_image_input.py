"""The layer that makes images of rows."""

from math import prod

import torch
from torch import nn

_ORDERS = {False: torch.contiguous_format, True: torch.channels_last}

# Output channels must be a multiple of this many.
_CHANNELS = 8


class ImageInput(nn.Module):
    """Turn rows of pixels into images of mean zero and deviation one per channel.

    Parameters
    ----------
    image_shape : tuple of int
        Channels, height and width.

    mean, deviation : array-like of shape (n_channels,)
        Of the pixels of each channel.

    flat : bool, default=False
        Whether images are returned as rows again, for layers that take rows.

    Attributes
    ----------
    channels_last : bool
        Whether the channels of a pixel lie side by side in memory, with which
        convolutions are faster.
    """

    def __init__(self, image_shape, mean, deviation, *, flat=False):
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.flat = flat
        self.channels_last = False
        for name, values in {"mean": mean, "deviation": deviation}.items():
            values = torch.as_tensor(values, dtype=torch.float64)
            self.register_buffer(name, values.reshape(-1, 1, 1).clone())

    def forward(self, X):
        """Make images.

        Parameters
        ----------
        X : Tensor of shape (n_rows, n_features)
            Rows of any type, such as uint8. A row has one channel after the other.

        Returns
        -------
        images : Tensor of shape (n_rows, n_channels, height, width)
            New, in the float type of the layer. Rows if the layer is flat.
        """
        images = X.to(self.mean.dtype).reshape(-1, *self.image_shape)
        images = (images - self.mean) / self.deviation
        if self.flat:
            return images.flatten(1)
        if self.channels_last:
            return images.contiguous(memory_format=torch.channels_last)
        return images

    def extra_repr(self):
        """Describe the layer, as torch prints it.

        Returns
        -------
        text : str
            Its shapes.
        """
        return f"{prod(self.image_shape)}, image_shape={self.image_shape}"


def order_channels(network):
    """Let convolutions have the channels of a pixel side by side, where they can.

    A network that reads images as they lie in memory, as `view` does, has the pixels of
    a channel side by side. So has one of few channels, by which training in torch 2.13
    crashes or does not end on some processors.

    Parameters
    ----------
    network : torch.nn.Sequential
        In evaluation mode. Its first layer is an `ImageInput`.
    """
    images = network[0]
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    is_wide = all(layer.out_channels % _CHANNELS == 0 for layer in layers)
    _set_order(network, channels_last=bool(layers) and is_wide)
    rows = images.mean.new_zeros(2, prod(images.image_shape))
    try:
        with torch.no_grad():
            network(rows)
    except RuntimeError:
        _set_order(network, channels_last=False)


def order_fewer_channels(network):
    """Order the channels of a network again that was made smaller.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode. One that does not start with images, or had the pixels of a
        channel side by side, stays as it is.
    """
    first = next(iter(network.children()), None)
    if isinstance(first, ImageInput) and first.channels_last:
        order_channels(network)


def _set_order(network, *, channels_last):
    network[0].channels_last = channels_last
    network.to(memory_format=_ORDERS[channels_last])
