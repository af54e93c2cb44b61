"""Rows of numbers as pictures, and many pictures as one."""

import numpy as np

from sksparse_nn.solvers.patches import read_layout


def to_pictures(rows, image_shape, channel_axis=None):
    """Reshape rows into pictures.

    Parameters
    ----------
    rows : array-like of shape (n_rows, n_features)
        Flattened images.

    image_shape : tuple of int
        Height and width, and for colours three channels, first or last.

    channel_axis : {0, 2, -1} or None, default=None
        Axis of the channels in a shape of three; None for the smaller end.

    Returns
    -------
    pictures : ndarray of shape (n_rows, height, width) or (n_rows, height, width, 3)
        In float64.

    Raises
    ------
    ValueError
        If the shape does not fit the rows, or has neither one nor three channels.
    """
    rows = np.atleast_2d(np.asarray(rows, dtype=np.float64))
    layout = read_layout(
        rows.shape[1],
        image_shape=image_shape,
        channel_axis=channel_axis,
        patch_size=1,
        stride=1,
        pooled_shape=1,
    )
    if layout.n_channels not in (1, 3):
        raise ValueError(
            f"image_shape must have 1 or 3 channels to be drawn. Got {image_shape}, "
            f"which has {layout.n_channels}; leave it None for bars."
        )
    shape = -1, layout.height, layout.width, layout.n_channels
    pictures = layout.to_pixel_order(rows).reshape(shape)
    return pictures[..., 0] if layout.n_channels == 1 else pictures


def scale_by_sign(pictures, largest=None):
    """Scale pictures symmetrically about zero for drawing.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width[, 3])
        Numbers.

    largest : float, default=None
        Magnitude that becomes 1; None for the largest of each picture.

    Returns
    -------
    pictures : ndarray of the same shape
        Between -1 and 1; colours between 0 and 1, where zero is mid grey.
    """
    if largest is None:
        axes = tuple(range(1, pictures.ndim))
        largest = np.abs(pictures).max(axis=axes, keepdims=True)
    scaled = pictures / np.where(largest == 0, 1, largest)
    return scaled if pictures.ndim == 3 else 0.5 + 0.5 * scaled


def scale_to_range(pictures, low, high):
    """Scale pictures so that a range becomes 0 to 1.

    Parameters
    ----------
    pictures : ndarray
        Numbers.

    low, high : float
        Values that become 0 and 1; values beyond are clipped.

    Returns
    -------
    pictures : ndarray of the same shape
        Between 0 and 1.
    """
    return ((pictures - low) / (high - low if high > low else 1)).clip(0, 1)


def choose_n_columns(pictures, width=6, height=4):
    """Choose the number of columns that brings tiles closest to a shape.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width[, 3])
        Tiles.

    width, height : float, default=6, 4
        Shape of the whole.

    Returns
    -------
    n_columns : int
        At least one.
    """
    n, tall, wide = pictures.shape[:3]
    n_columns = round(np.sqrt(n * width / height * (tall + 1) / (wide + 1)))
    return min(max(n_columns, 1), n)


def tile(pictures, n_columns):
    """Arrange pictures in a grid with small gaps.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width[, 3])
        Tiles.

    n_columns : int
        Number of tiles side by side.

    Returns
    -------
    picture : ndarray of shape (all_height, all_width[, 3])
        One picture. Gaps are NaN, or white for colour pictures.
    """
    n, tall, wide = pictures.shape[:3]
    n_rows, colours, gap = -(-n // n_columns), pictures.shape[3:], measure_gap(pictures)
    shape = n_rows * n_columns, tall + gap, wide + gap, *colours
    grid = np.full(shape, 1.0 if colours else np.nan)
    grid[:n, :tall, :wide] = pictures
    grid = grid.reshape(n_rows, n_columns, tall + gap, wide + gap, *colours)
    grid = grid.swapaxes(1, 2)
    shape = n_rows * (tall + gap), n_columns * (wide + gap), *colours
    return grid.reshape(shape)[:-gap, :-gap]


def measure_gap(pictures):
    """Return the number of pixels between tiles.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, height, width[, 3])
        Tiles.

    Returns
    -------
    gap : int
        At least one.
    """
    return 1 + max(pictures.shape[1:3]) // 20


def show(ax, picture, **options):
    """Draw a picture without ticks or interpolation.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes to draw on.

    picture : ndarray of shape (height, width[, 3 or 4])
        Numbers, or colours between 0 and 1.

    **options : dict
        Passed to ``imshow``.

    Returns
    -------
    drawn : matplotlib AxesImage
        The drawn image.
    """
    ax.set(xticks=[], yticks=[], facecolor="0.85")
    ax.spines[:].set_visible(False)
    return ax.imshow(picture, interpolation="nearest", **options)
