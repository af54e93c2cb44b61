"""The layer that makes images of rows."""

from math import prod

import torch
from torch import nn


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
    """

    def __init__(self, image_shape, mean, deviation, *, flat=False):
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.flat = flat
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
        return images.flatten(1) if self.flat else images

    def extra_repr(self):
        """Describe the layer, as torch prints it.

        Returns
        -------
        text : str
            Its shapes.
        """
        return f"{prod(self.image_shape)}, image_shape={self.image_shape}"
