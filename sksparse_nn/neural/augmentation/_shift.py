"""Images moved by a few pixels."""

from dataclasses import dataclass

import torch

from sksparse_nn.neural.augmentation._base import AbstractAugmentation


@dataclass
class Shift(AbstractAugmentation):
    """Move each image by a few pixels; what comes in is a reflection at the border.

    Parameters
    ----------
    n_pixels : int or None, default=None
        Up to so many in each direction. None takes an eighth of the shorter side, but
        at least one.
    """

    n_pixels: int | None = None

    def check(self, image_shape):
        shorter = min(image_shape[1:])
        if self.n_pixels is not None and not 0 <= self.n_pixels < shorter:
            raise ValueError(
                f"n_pixels must be from 0 to {shorter - 1}, below the sides of "
                f"images of shape {image_shape}. Got {self!r}."
            )

    def apply(self, X, source):
        height, width = X.shape[2:]
        most = self.n_pixels
        if most is None:
            most = min(max(1, min(height, width) // 8), min(height, width) - 1)
        moves = source.integers(2 * most + 1, len(X), 2) - most
        rows = _reflect(torch.arange(height) + moves[:, :1], height)[:, None, :, None]
        columns = _reflect(torch.arange(width) + moves[:, 1:], width)[:, None, None]
        X = X.gather(2, rows.expand(X.shape).to(X.device))
        return X.gather(3, columns.expand(X.shape).to(X.device)), None


def _reflect(places, length):
    """Return places inside an image, mirrored at its first and last pixel."""
    places = places.abs()
    return torch.where(places < length, places, 2 * (length - 1) - places)
