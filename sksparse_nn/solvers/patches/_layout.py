"""Positions of pixels, patches and regions in a flattened image."""

from dataclasses import dataclass
from functools import cached_property
from math import isqrt, prod
from numbers import Integral

import numpy as np


@dataclass(frozen=True)
class Layout:
    """Layout of a flattened image, its patches and the grid of regions.

    Parameters
    ----------
    height, width, n_channels : int
        Shape of the image.

    channels_first : bool
        Whether an image holds one channel after the other.

    patch : tuple of int
        Height and width of a patch.

    stride : int
        Distance between neighbouring patches.

    grid : tuple of int
        Number of rows and columns of regions.
    """

    height: int
    width: int
    n_channels: int
    channels_first: bool
    patch: tuple
    stride: int
    grid: tuple

    def __reduce__(self):
        return restore_layout, (self.settings,)

    @property
    def settings(self):
        """Return the parameters of `read_layout`, from which it is made again."""
        sides, channels = (self.height, self.width), (self.n_channels,)
        first = self.channels_first
        return {
            "image_shape": channels + sides if first else sides + channels,
            "channel_axis": 0 if first else -1,
            "patch_size": self.patch,
            "stride": self.stride,
            "pooled_shape": self.grid,
        }

    @property
    def n_features(self):
        """Number of values per image."""
        return self.height * self.width * self.n_channels

    @property
    def patch_width(self):
        """Number of values per patch."""
        return prod(self.patch) * self.n_channels

    @property
    def positions(self):
        """Number of patches vertically and horizontally."""
        sides = zip((self.height, self.width), self.patch, strict=True)
        return tuple((image - patch) // self.stride + 1 for image, patch in sides)

    @property
    def n_positions(self):
        """Number of patches per image."""
        return prod(self.positions)

    @property
    def n_regions(self):
        """Number of regions per image."""
        return prod(self.grid)

    @property
    def region_sizes(self):
        """Number of patches of each region, of shape (n_regions,)."""
        return np.bincount(self.regions, minlength=self.n_regions)

    @cached_property
    def corners(self):
        """Index of the first value of each patch, of shape (n_positions,).

        It refers to images in pixel order.
        """
        rows, columns = (self.stride * np.arange(n) for n in self.positions)
        return (self._row * rows[:, None] + self.n_channels * columns).ravel()

    @cached_property
    def runs(self):
        """Offset of each row of a patch from its corner, of shape (patch_height,)."""
        return self._row * np.arange(self.patch[0])

    @cached_property
    def pixels(self):
        """Offset of each value of a patch from its corner, of shape (patch_width,).

        Values are ordered by row, then column, then channel.
        """
        length = self.patch[1] * self.n_channels
        return (self.runs[:, None] + np.arange(length)).ravel()

    @property
    def _row(self):
        return self.width * self.n_channels

    def to_pixel_order(self, images):
        """Order the values of images by pixel, then channel.

        Parameters
        ----------
        images : ndarray of shape (n_images, n_features)
            Images as the user passes them.

        Returns
        -------
        images : ndarray of shape (n_images, n_features)
            Images in pixel order; not copied if they are in that order.
        """
        if not self.channels_first:
            return images
        planes = images.reshape(-1, self.n_channels, self.height * self.width)
        return np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(images.shape)

    def to_given_order(self, images):
        """Undo `to_pixel_order`.

        Parameters
        ----------
        images : ndarray of shape (n_images, n_features)
            Images in pixel order.

        Returns
        -------
        images : ndarray of shape (n_images, n_features)
            Images in the order in which the user passes them.
        """
        if not self.channels_first:
            return images
        pixels = images.reshape(-1, self.height * self.width, self.n_channels)
        return pixels.transpose(0, 2, 1).reshape(images.shape)

    @cached_property
    def regions(self):
        """Region of each patch, of shape (n_positions,)."""
        rows, columns = (
            np.repeat(np.arange(n_parts), _divide(n, n_parts))
            for n, n_parts in zip(self.positions, self.grid, strict=True)
        )
        return (rows[:, None] * self.grid[1] + columns[None, :]).ravel()


def _divide(n, n_parts):
    """Divide a length into parts; the first ones are longer by one if needed."""
    return np.full(n_parts, n // n_parts) + (np.arange(n_parts) < n % n_parts)


def read_layout(
    n_features, *, image_shape, channel_axis, patch_size, stride, pooled_shape
):
    """Read and check the parameters of the layout of images.

    Parameters
    ----------
    n_features : int
        Number of values per image.

    image_shape : tuple of int or None
        Height and width, and the number of channels first or last; (1, -1) for one row
        of pixels; None for square images.

    channel_axis : int or None
        Axis of the channels in a shape of three; None for the first axis if it is
        shorter than the last, and otherwise for the last.

    patch_size : int or tuple of int
        Height and width of a patch.

    stride : int
        Distance between neighbouring patches.

    pooled_shape : int or tuple of int
        Number of rows and columns of regions.

    Returns
    -------
    layout : Layout
        The layout.

    Raises
    ------
    ValueError
        If the parameters contradict each other or the data.
    """
    is_row = image_shape is not None and tuple(image_shape) == (1, -1)
    for name, size in (("patch_size", patch_size), ("pooled_shape", pooled_shape)):
        if np.ndim(size):
            _check_lengths(name, size, (2,))
            if is_row and size[0] != 1:
                raise ValueError(
                    "image_shape=(1, -1) takes rows as images of one row of pixels, so "
                    f"{name} must be an integer or (1, integer). Got {size!r}; give "
                    "the image_shape."
                )
    if is_row:
        return _lay_out_row(n_features, patch_size, stride, pooled_shape)
    if image_shape is None:
        image_shape, channel_axis = _find_square_shape(n_features, channel_axis)
    sizes = {"patch_size": patch_size, "stride": stride, "pooled_shape": pooled_shape}
    return _lay_out_image(n_features, image_shape, channel_axis, **sizes)


def restore_layout(settings):
    """Make a layout of its settings again.

    Parameters
    ----------
    settings : dict
        Those of a `Layout`.

    Returns
    -------
    layout : Layout
        The layout.

    Raises
    ------
    ValueError
        If the settings contradict each other.
    """
    _check_lengths("stride", [settings["stride"]], (1,))
    return read_layout(prod(settings["image_shape"]), **settings)


def _find_square_shape(n_features, channel_axis):
    """Find the shape of a square image, and the axis of channels if it has three."""
    side, side_of_three = isqrt(n_features), isqrt(n_features // 3)
    if side**2 == n_features:
        return (side, side), None
    if 3 * side_of_three**2 != n_features:
        raise ValueError(
            "image_shape=None takes a row for a square image, of one channel or of "
            "three, so its width must be a square number or three times one. Got "
            f"{n_features} features; set image_shape to (height, width), or to (1, -1) "
            "for rows that are one row of pixels each."
        )
    square = side_of_three, side_of_three
    is_first = channel_axis in (None, 0)
    return ((3, *square), 0) if is_first else ((*square, 3), -1)


def _lay_out_image(
    n_features, image_shape, channel_axis, *, patch_size, stride, pooled_shape
):
    """Return the layout of images of a given shape."""
    _check_lengths("image_shape", image_shape, (2, 3))
    height, width, n_channels, first = _read_sides(image_shape, channel_axis)
    if height * width * n_channels != n_features:
        raise ValueError(
            f"image_shape={image_shape} is of {height * width * n_channels} numbers. "
            f"Got rows of {n_features}; give the shape that was flattened."
        )
    patch, grid = _make_pair(patch_size), _make_pair(pooled_shape)
    if patch[0] > height or patch[1] > width:
        raise ValueError(
            f"patch_size={patch_size} must fit in images of {height} x {width} pixels. "
            f"Got rows of {n_features} features, taken for such images; lower "
            f"patch_size or set image_shape."
        )
    layout = Layout(height, width, n_channels, first, patch, stride, grid)
    if grid[0] > layout.positions[0] or grid[1] > layout.positions[1]:
        rows, columns = layout.positions
        raise ValueError(
            f"pooled_shape={pooled_shape} asks for more regions than there are "
            f"patches: {rows} below each other and {columns} side by side. Lower "
            "pooled_shape, patch_size or stride."
        )
    return layout


def _lay_out_row(n_features, patch_size, stride, pooled_shape):
    """Return the layout of one row of pixels, with patch and grid cut to its length."""
    patch = 1, min(_make_pair(patch_size)[1], n_features)
    n_positions = (n_features - patch[1]) // stride + 1
    grid = 1, min(_make_pair(pooled_shape)[1], n_positions)
    return Layout(1, n_features, 1, False, patch, stride, grid)


def _check_lengths(name, lengths, allowed):
    integers = all(isinstance(n, Integral) and n > 0 for n in lengths)
    if len(lengths) not in allowed or not integers:
        numbers = " or ".join(map(str, allowed))
        raise ValueError(f"{name} must be {numbers} integers > 0. Got {lengths!r}.")


def _read_sides(image_shape, channel_axis):
    """Return height, width, number of channels, and whether channels come first."""
    shape = tuple(image_shape)
    if len(shape) == 2:
        return *shape, 1, False
    if channel_axis is None:
        channel_axis = 0 if shape[0] < shape[2] else 2
    first = channel_axis % 3 == 0
    if first:
        return *shape[1:], shape[0], True
    return *shape, False


def _make_pair(size):
    return (size, size) if np.ndim(size) == 0 else tuple(size)
