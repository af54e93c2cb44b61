"""Atoms as pictures, or by their strongest features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from sksparse_nn.drawing._canvas import (
    SIGNED,
    draw_signed_bars,
    escape_letters,
    find_strongest,
    shorten,
    take_axes,
)
from sksparse_nn.drawing._pictures import (
    choose_n_columns,
    measure_gap,
    scale_by_sign,
    show,
    tile,
    to_pictures,
)
from sksparse_nn.inspection.atoms._ahead import find_atom_shape, find_names_ahead
from sksparse_nn.inspection.atoms._atoms import mutual_coherence
from sksparse_nn.inspection.atoms._codes import find_coder

# Default number of atoms to draw as pictures, and as bars.
_MOST_PICTURES, _MOST_BARS = 100, 6

# Most rows of pictures that are numbered; of more, every second or third one is.
_MOST_TICKS = 12


class DictionaryDisplay:
    """Draw the atoms of a dictionary.

    Parameters
    ----------
    components : ndarray of shape (n_atoms, n_features)
        Atoms.

    image_shape : tuple of int, default=None
        Height and width of the atoms as pictures, and for colours three channels, first
        or last. None draws bars.

    channel_axis : {0, 2, -1} or None, default=None
        Axis of the channels in an `image_shape` of three; None for the smaller end.

    feature_names : array-like of shape (n_features,), default=None
        Names for the bars.

    atom_names : array-like of shape (n_atoms,), default=None
        Names of the atoms; None for indices.

    order : array-like of int, default=None
        Atoms to draw, in that order; None for all in their own order. The index of
        `atom_table` sorted by a column is such an order.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing: one for pictures, or one per atom.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    atom_table : Usage and classes of all atoms.
    AtomCardDisplay : Card of one atom.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> from sksparse_nn.inspection import DictionaryDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(
    ...     16, algorithm="omp", n_nonzero_coefs=3, random_state=0
    ... ).fit(X)
    >>> display = DictionaryDisplay.from_estimator(coder, image_shape=(8, 8))
    >>> len(display.axes_)
    1
    """

    def __init__(
        self,
        components: NDArray,
        *,
        image_shape: tuple[int, ...] | None = None,
        channel_axis: int | None = None,
        feature_names: ArrayLike | None = None,
        atom_names: ArrayLike | None = None,
        order: ArrayLike | None = None,
    ) -> None:
        self.components = components
        self.image_shape = image_shape
        self.channel_axis = channel_axis
        self.feature_names = feature_names
        self.atom_names = atom_names
        self.order = order

    @classmethod
    def from_estimator(
        cls,
        transformer: BaseEstimator,
        *,
        image_shape: tuple[int, ...] | None = None,
        feature_names: ArrayLike | None = None,
        atom_names: ArrayLike | None = None,
        order: ArrayLike | None = None,
        axes: Sequence | None = None,
    ) -> Self:
        """Draw the atoms of a fitted transformer.

        Parameters
        ----------
        transformer : transformer
            With ``components_``, or a pipeline of transformers that ends in one. Atoms
            of an `ImagePatchCoder` are drawn as whitened patches.

        image_shape : tuple of int, default=None
            As in the class.

        feature_names : array-like of shape (n_features,), default=None
            Names for the bars; None for the names from the steps ahead.

        atom_names : array-like of shape (n_atoms,), default=None
            Names of the atoms.

        order : array-like of int, default=None
            Atoms to draw.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : DictionaryDisplay
            The display, drawn.
        """
        coder = find_coder(transformer)
        if feature_names is None:
            feature_names = find_names_ahead(transformer)
        image_shape, channel_axis = find_atom_shape(coder, image_shape)
        return cls(
            coder.components_,
            image_shape=image_shape,
            channel_axis=channel_axis,
            feature_names=feature_names,
            atom_names=atom_names,
            order=order,
        ).plot(axes=axes)

    def plot(
        self,
        *,
        axes: Sequence | None = None,
        n_atoms: int | None = None,
        n_columns: int | None = None,
        n_features: int = 8,
        cmap: Any = SIGNED,
    ) -> Self:
        """Draw pictures in one grid, or bars of the strongest features of each atom.

        Each picture is scaled by its own largest magnitude.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes to draw on: one for pictures, or one per atom; None for a new figure.

        n_atoms : int, default=None
            Most atoms to draw; None for 100 as pictures, or 6 as bars.

        n_columns : int, default=None
            Number of pictures, or of axes with bars, side by side.

        n_features : int, default=8
            Number of bars per atom.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colour map of pictures without colour channels. "gray" prints well.

        Returns
        -------
        display : DictionaryDisplay
            The display itself.
        """
        if self.image_shape is None:
            chosen = self._choose(n_atoms or _MOST_BARS)
            self._plot_bars(axes, chosen, n_columns or min(3, len(chosen)), n_features)
        else:
            chosen = self._choose(n_atoms or _MOST_PICTURES)
            self._plot_pictures(axes, chosen, n_columns, cmap)
        self.figure_ = self.axes_[0].figure
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        n_atoms, n_features = np.shape(self.components)
        text = (
            f"Dictionary of {n_atoms} atoms of {n_features} features; the two most "
            f"alike have a cosine of {mutual_coherence(self.components):.2f}."
        )
        if self.image_shape is not None:
            height, width = to_pictures(
                self.components[:1], self.image_shape, self.channel_axis
            ).shape[1:3]
            return f"{text} Drawn as pictures of {height} by {width} pixels."
        for atom in self._choose(_MOST_BARS):
            names = self._find_strongest(atom, 3)[0]
            words = ", ".join(shorten(name) for name in names) or "none"
            text += f" Strongest features of {shorten(self._name(atom))}: {words}."
        return text

    def _choose(self, n_atoms):
        order = range(len(self.components)) if self.order is None else self.order
        return np.asarray(order)[:n_atoms]

    def _name(self, atom):
        return f"atom {atom}" if self.atom_names is None else self.atom_names[atom]

    def _find_strongest(self, atom, n_features):
        values = np.asarray(self.components)[atom]
        places = find_strongest(values, n_features)
        if self.feature_names is None:
            return [f"x{place}" for place in places], values[places]
        names = np.asarray(self.feature_names, dtype=object)
        return names[places].tolist(), values[places]

    def _plot_pictures(self, axes, chosen, n_columns, cmap):
        atoms = np.asarray(self.components)[chosen]
        pictures = to_pictures(atoms, self.image_shape, self.channel_axis)
        n_columns = min(n_columns or choose_n_columns(pictures), len(pictures))
        grid = tile(scale_by_sign(pictures), n_columns)
        height = min(max(6 * grid.shape[0] / grid.shape[1], 1.5), 8)
        self.axes_ = take_axes(axes, 1, figsize=(6, height))
        (ax,) = self.axes_
        drawn = show(ax, grid, cmap=cmap, vmin=-1, vmax=1)
        self._number_rows(
            ax, chosen, n_columns, pictures.shape[1] + measure_gap(pictures)
        )
        if grid.ndim == 2:
            bar = ax.figure.colorbar(drawn, ax=ax, ticks=[-1, 0, 1], shrink=0.6)
            bar.set_label("share of the atom's largest entry", fontsize=8)
            bar.ax.tick_params(labelsize=8)
        n_all = len(self.components)
        ax.set_title(f"{len(chosen)} of {n_all} atoms" if len(chosen) < n_all else "")

    def _number_rows(self, ax, chosen, n_columns, distance):
        """Name the first atom of each row of pictures."""
        firsts = chosen[::n_columns]
        step = -(-len(firsts) // _MOST_TICKS)
        names = firsts if self.atom_names is None else map(self._name, firsts)
        ax.set_yticks(
            distance * (np.arange(len(firsts)) + 0.5)[::step] - 1,
            [escape_letters(name, 12) for name in names][::step],
            fontsize=8,
        )
        ax.tick_params(axis="y", length=0)
        ax.set_ylabel("first atom of the row" if n_columns > 1 else "atom", fontsize=8)

    def _plot_bars(self, axes, chosen, n_columns, n_features):
        n_rows = -(-len(chosen) // n_columns)
        size = 2.2 * n_columns, max(0.2 * n_features + 0.5, 1) * n_rows
        self.axes_ = take_axes(axes, len(chosen), n_columns=n_columns, figsize=size)
        for ax, atom in zip(self.axes_, chosen, strict=True):
            draw_signed_bars(ax, *self._find_strongest(atom, n_features), most=16)
            ax.set_title(escape_letters(self._name(atom), 18), fontsize=9)
