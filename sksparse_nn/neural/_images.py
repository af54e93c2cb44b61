"""Images as samples: their shape, and the mean and deviation of each channel."""

from math import prod
from numbers import Integral

import numpy as np

from sksparse_nn._warnings import warn
from sksparse_nn.modules._image_input import ImageInput
from sksparse_nn.neural._batches import dense_rows

# Pixels per block: 8 MB of float64.
_NUMBERS = 2**20


class HasImages:
    """A network estimator whose samples may be images.

    Attributes
    ----------
    image_shape_ : tuple of int
        Channels, height and width; only if samples are images.
    """

    @property
    def _keeps_bytes(self):
        """Whether samples of uint8 stay so until their mini-batch is made."""
        return "image_shape_" in vars(self)

    def _check_images_are_there(self):
        """Raise if a module that is named needs images and samples are none."""
        if isinstance(self.module, str) and not self._keeps_bytes:
            raise ValueError(
                f"module={self.module!r} needs images. Got rows; set image_shape, or "
                "give X of shape (n_samples, channels, height, width)."
            )

    def _as_rows(self, X, *, reset):
        """Return images as rows; learn their shape, or check it."""
        X = np.asarray(X) if isinstance(X, list | tuple) else X
        if reset:
            self._learn_image_shape(X)
        if getattr(X, "ndim", 2) <= 2:
            if reset and self._keeps_bytes:
                _check_width(X, self.image_shape_)
            return X
        shape = vars(self).get("image_shape_")
        if shape is None or not is_shape(X.shape[1:], shape):
            raise ValueError(_describe_mismatch(X.shape, shape, is_fitted=not reset))
        return np.asarray(X).reshape(X.shape[0], prod(shape))

    def _learn_image_shape(self, X):
        vars(self).pop("image_shape_", None)
        if self.image_shape is not None:
            self.image_shape_ = read_image_shape(self.image_shape)
        elif getattr(X, "ndim", 2) == 4 and 0 not in X.shape:
            self.image_shape_ = read_image_shape(X.shape[1:])


def read_image_shape(image_shape):
    """Return the shape of images in full.

    Parameters
    ----------
    image_shape : sequence of int
        Height and width, with the number of channels before them if there are several.

    Returns
    -------
    image_shape : tuple of int
        Channels, height and width.

    Raises
    ------
    ValueError
        If these are not two or three positive integers.
    """
    shape = tuple(image_shape)
    _warn_if_channels_are_last(shape)
    is_whole = all(isinstance(side, Integral) and side > 0 for side in shape)
    if len(shape) not in (2, 3) or not is_whole:
        raise ValueError(
            "image_shape must be (height, width) or (channels, height, width), of "
            f"integers > 0. Got {image_shape!r}."
        )
    return (1,) * (3 - len(shape)) + tuple(map(int, shape))


def _warn_if_channels_are_last(shape):
    if len(shape) == 3 and shape[0] == shape[1] > 4 >= shape[2] > 1:
        warn(
            f"Images of shape {shape} are read as {shape[0]} channels of {shape[1:]} "
            "pixels. Put the channels first, as X.transpose(0, 3, 1, 2) does.",
        )


def make_input(samples, image_shape, *, flat):
    """Make the layer that turns samples into normalised images.

    Parameters
    ----------
    samples : TrainingSamples
        Training samples.

    image_shape : tuple of int
        Channels, height and width.

    flat : bool
        Whether the network behind it takes rows.

    Returns
    -------
    layer : ImageInput
        With the mean and deviation of the channels of the samples.
    """
    mean, variance = channel_moments(samples, image_shape)
    deviation = np.sqrt(np.where(variance > 0, variance, 1))
    return ImageInput(image_shape, mean, deviation, flat=flat)


def channel_moments(samples, image_shape):
    """Measure the mean and the variance of each channel.

    Parameters
    ----------
    samples : TrainingSamples
        Images, as rows.

    image_shape : tuple of int
        Channels, height and width.

    Returns
    -------
    mean, variance : ndarray of shape (n_channels,)
        In float64; a variance of zero where a channel is constant.
    """
    weight, start = samples.row_weight / samples.row_weight.sum(), None
    sums = squares = 0.0
    for block, pixels in _blocks(samples, image_shape):
        if start is None:
            start = pixels.mean(axis=(0, 2))[:, None]
        pixels -= start
        sums = sums + weight[block] @ pixels.mean(axis=2)
        squares = squares + weight[block] @ np.square(pixels).mean(axis=2)
    mean, variance = start[:, 0] + sums, squares - sums**2
    # What is left of a constant channel is rounding.
    return mean, np.where(variance > 1e-12 * np.square(mean), variance, 0)


def _blocks(samples, image_shape):
    """Yield blocks of samples, and their pixels by channel in float64."""
    size = max(1, _NUMBERS // prod(image_shape))
    for begin in range(0, len(samples), size):
        block = np.arange(begin, min(begin + size, len(samples)))
        rows = dense_rows(samples.matrix, samples.find_rows(block))
        yield block, rows.astype(np.float64).reshape(len(rows), image_shape[0], -1)


def is_shape(given, shape):
    """Return whether a shape is that of images, whose one channel may be left out.

    Parameters
    ----------
    given : sequence of int
        Shape that a user gives.

    shape : tuple of int
        Channels, height and width.

    Returns
    -------
    is_shape : bool
        Whether they are the same.
    """
    return tuple(given) == shape or (shape[0] == 1 and tuple(given) == shape[1:])


def _check_width(X, image_shape):
    width = X.shape[1] if len(getattr(X, "shape", ())) == 2 else None
    if width not in (None, prod(image_shape)):
        raise ValueError(
            f"image_shape={image_shape} must have as many pixels as X has columns. Got "
            f"{prod(image_shape)} pixels and {width} columns."
        )


def _describe_mismatch(shape, image_shape, *, is_fitted):
    if image_shape is None and is_fitted:
        return (
            "X must be rows of features, as those of fit were. Got shape "
            f"{tuple(shape)}; flatten each sample, or fit to images."
        )
    if image_shape is None:
        return (
            "X must be rows of features, or images of shape (n_samples, channels, "
            f"height, width). Got shape {tuple(shape)}; set image_shape for others."
        )
    return (
        f"X must be rows, or images of shape (n_samples, *{image_shape}), as "
        f"image_shape or the first samples say. Got shape {tuple(shape)}; put the "
        "channels first."
    )
