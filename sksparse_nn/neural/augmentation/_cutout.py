"""Squares of images left out."""

from dataclasses import dataclass

import torch

from sksparse_nn.neural.augmentation._base import AbstractAugmentation


@dataclass
class Cutout(AbstractAugmentation):
    """Replace a square of each image by the mean of each channel.

    Parameters
    ----------
    size : int or None, default=None
        Side of the square in pixels, of which a part may lie outside the image. None
        takes a quarter of the shorter side, but at least one.
    """

    size: int | None = None

    def check(self, image_shape):
        if self.size is not None and self.size < 1:
            raise ValueError(f"size must be one pixel or more. Got {self!r}.")

    def apply(self, X, source):
        height, width = X.shape[2:]
        size = self.size or max(1, min(height, width) // 4)
        rows = _covered(source.integers(height, len(X), 1), height, size)
        columns = _covered(source.integers(width, len(X), 1), width, size)
        covered = rows[:, None, :, None] & columns[:, None, None]
        return torch.where(covered.to(X.device), source.mean, X), None


def _covered(centre, length, size):
    """Return which pixels of a side a square covers, of shape (n_rows, length)."""
    begin = centre - size // 2
    places = torch.arange(length)
    return (places >= begin) & (places < begin + size)
