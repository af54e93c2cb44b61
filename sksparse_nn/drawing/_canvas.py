"""What all displays share: axes, colours that all can tell apart, letters and bars."""

import numpy as np

# Of Okabe and Ito; told apart in print too, by lines, markers and sides of zero.
BLUE, ORANGE = "#0072B2", "#D55E00"
SIGNED = "RdBu_r"


def take_axes(axes, n_axes, *, n_columns=None, figsize=(6, 4), **options):
    """Return given axes as an array, or those of a new figure.

    Parameters
    ----------
    axes : matplotlib Axes, sequence of them or None
        What the user gave.

    n_axes : int
        How many are needed.

    n_columns : int, default=None
        How many of them stand side by side in a new figure; None for all.

    figsize : tuple of float, default=(6, 4)
        Inches of a new figure.

    **options : dict
        For ``matplotlib.pyplot.subplots``.

    Returns
    -------
    axes : ndarray of matplotlib Axes of shape (n_axes,)
        Where to draw.

    Raises
    ------
    ImportError
        If there is no matplotlib.

    ValueError
        If the number of given axes is another.
    """
    if axes is not None:
        axes = np.ravel(np.atleast_1d(axes))
        if len(axes) != n_axes:
            raise ValueError(
                f"axes must be {n_axes} matplotlib Axes. Got {len(axes)}; leave it "
                "None for a new figure."
            )
        return axes
    plt = _pyplot()
    n_columns = n_columns or n_axes
    n_rows = -(-n_axes // n_columns)
    options = {"layout": "constrained", "squeeze": False} | options
    figure, axes = plt.subplots(n_rows, n_columns, figsize=figsize, **options)
    for ax in axes.ravel()[n_axes:]:
        figure.delaxes(ax)
    return axes.ravel()[:n_axes]


def take_mosaic(axes, mosaic, *, figsize=(6, 4)):
    """Return given axes as an array, or those of a new figure of uneven parts.

    Parameters
    ----------
    axes : sequence of matplotlib Axes or None
        What the user gave.

    mosaic : list of list of int
        Which of the axes, from 0, is where.

    figsize : tuple of float, default=(6, 4)
        Inches of a new figure.

    Returns
    -------
    axes : ndarray of matplotlib Axes of shape (n_axes,)
        Where to draw.
    """
    n_axes = max(map(max, mosaic)) + 1
    if axes is not None:
        return take_axes(axes, n_axes)
    plt = _pyplot()
    _, by_number = plt.subplot_mosaic(mosaic, figsize=figsize, layout="constrained")
    return np.array([by_number[number] for number in range(n_axes)])


def _pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib. Got none; install it, or read the numbers that "
            "the display holds."
        ) from error
    return plt


def shortened(name, most=24):
    """Return a name as text of one line, the end left out where it is long.

    Parameters
    ----------
    name : object
        Name of a feature, an atom or a class.

    most : int, default=24
        Letters at most.

    Returns
    -------
    text : str
        Its beginning.
    """
    text = " ".join(str(name).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def lettered(name, most=24):
    r"""Return a name as text that matplotlib draws letter by letter.

    Parameters
    ----------
    name : object
        Name of a feature, an atom or a class.

    most : int, default=24
        Letters at most.

    Returns
    -------
    text : str
        Shortened, with no formula in it: ``$`` is ``\$``.
    """
    return shortened(name, most).replace("$", r"\$")


def strongest(values, n_most):
    """Return where the values of largest magnitude stand, those of zero left out.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Numbers.

    n_most : int
        How many at most.

    Returns
    -------
    places : ndarray of int
        By falling magnitude.
    """
    order = np.argsort(-np.abs(values), kind="stable")[:n_most]
    return order[values[order] != 0]


def signed_bars(ax, names, values, most=24):
    """Draw a horizontal bar a name, the first on top, coloured by its sign.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.

    names : sequence
        As many as values.

    values : ndarray of shape (n_values,)
        Lengths.

    most : int, default=24
        Letters of a name at most.
    """
    places = np.arange(len(values))
    ax.barh(places, values, color=np.where(np.asarray(values) < 0, BLUE, ORANGE))
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(places, [lettered(name, most) for name in names], fontsize=8)
    ax.set_ylim(max(len(values), 1) - 0.4, -0.6)
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=3)
    ax.grid(axis="x", alpha=0.3)
