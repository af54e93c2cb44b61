"""Axes, accessible colours, text and bars, shared by all displays."""

import numpy as np

# Colours of Okabe and Ito. In print, lines, markers and the sign distinguish them too.
BLUE, ORANGE = "#0072B2", "#D55E00"
SIGNED = "RdBu_r"


def take_axes(axes, n_axes, *, n_columns=None, figsize=(6, 4), **options):
    """Return given axes as an array, or those of a new figure.

    Parameters
    ----------
    axes : matplotlib Axes, sequence of them or None
        Given axes, or None.

    n_axes : int
        Number of axes needed.

    n_columns : int, default=None
        Number of axes side by side in a new figure; None for all.

    figsize : tuple of float, default=(6, 4)
        Size of a new figure in inches.

    **options : dict
        Passed to ``matplotlib.pyplot.subplots``.

    Returns
    -------
    axes : ndarray of matplotlib Axes of shape (n_axes,)
        Axes to draw on.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    ValueError
        If the number of given axes differs from `n_axes`.
    """
    if axes is not None:
        axes = np.ravel(np.atleast_1d(axes))
        if len(axes) != n_axes:
            raise ValueError(
                f"axes must be {n_axes} matplotlib Axes. Got {len(axes)}; leave it "
                "None for a new figure."
            )
        return axes
    plt = _import_pyplot()
    n_columns = n_columns or n_axes
    n_rows = -(-n_axes // n_columns)
    options = {"layout": "constrained", "squeeze": False} | options
    figure, axes = plt.subplots(n_rows, n_columns, figsize=figsize, **options)
    for ax in axes.ravel()[n_axes:]:
        figure.delaxes(ax)
    return axes.ravel()[:n_axes]


def take_mosaic(axes, mosaic, *, figsize=(6, 4)):
    """Return given axes as an array, or those of a new figure with a mosaic.

    Parameters
    ----------
    axes : sequence of matplotlib Axes or None
        Given axes, or None.

    mosaic : list of list of int
        Index of the axes in each cell, from 0.

    figsize : tuple of float, default=(6, 4)
        Size of a new figure in inches.

    Returns
    -------
    axes : ndarray of matplotlib Axes of shape (n_axes,)
        Axes to draw on.
    """
    n_axes = max(map(max, mosaic)) + 1
    if axes is not None:
        return take_axes(axes, n_axes)
    plt = _import_pyplot()
    _, by_number = plt.subplot_mosaic(mosaic, figsize=figsize, layout="constrained")
    return np.array([by_number[number] for number in range(n_axes)])


def _import_pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib, which is not installed. Install it, or read the "
            "attributes of the display."
        ) from error
    return plt


def shorten(name, most=24):
    """Shorten a name to one line of text.

    Parameters
    ----------
    name : object
        Name of a feature, an atom or a class.

    most : int, default=24
        Maximum number of characters.

    Returns
    -------
    text : str
        The name, truncated if it is longer.
    """
    text = " ".join(str(name).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def escape_letters(name, most=24):
    r"""Escape a name so that matplotlib draws it literally.

    Parameters
    ----------
    name : object
        Name of a feature, an atom or a class.

    most : int, default=24
        Maximum number of characters.

    Returns
    -------
    text : str
        Shortened, with ``$`` escaped as ``\$``.
    """
    return shorten(name, most).replace("$", r"\$")


def find_strongest(values, n_most):
    """Return the indices of the values of largest magnitude, without zeros.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Numbers.

    n_most : int
        Maximum number of indices.

    Returns
    -------
    places : ndarray of int
        In decreasing order of magnitude.
    """
    order = np.argsort(-np.abs(values), kind="stable")[:n_most]
    return order[values[order] != 0]


def draw_signed_bars(ax, names, values, most=24):
    """Draw one horizontal bar per name, the first on top, coloured by sign.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes to draw on.

    names : sequence
        One name per value.

    values : ndarray of shape (n_values,)
        Lengths of the bars.

    most : int, default=24
        Maximum number of characters of a name.
    """
    places = np.arange(len(values))
    ax.barh(places, values, color=np.where(np.asarray(values) < 0, BLUE, ORANGE))
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(places, [escape_letters(name, most) for name in names], fontsize=8)
    ax.set_ylim(max(len(values), 1) - 0.4, -0.6)
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=3)
    ax.grid(axis="x", alpha=0.3)
