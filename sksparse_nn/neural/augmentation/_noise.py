"""Gaussian noise."""

from dataclasses import dataclass

import torch

from sksparse_nn.neural.augmentation._base import AbstractAugmentation


@dataclass
class Noise(AbstractAugmentation):
    """Add Gaussian noise to all values, of images or of rows.

    Parameters
    ----------
    sigma : float, default=0.5
        Standard deviation of the noise, in standard deviations of the values of
        training samples about the means of their features or channels.
    """

    needs_images = False
    sigma: float = 0.5

    def check(self, image_shape):
        if not self.sigma >= 0:
            raise ValueError(f"sigma must be a number not below zero. Got {self!r}.")

    def apply(self, X, source):
        noise = torch.randn(X.shape, dtype=X.dtype, generator=source.generator)
        return X + self.sigma * source.deviation * noise.to(X.device), None
