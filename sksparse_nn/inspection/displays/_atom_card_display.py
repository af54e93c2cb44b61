"""Card of one atom: its entries, its classes and its strongest samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, _safe_indexing

from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn.drawing._canvas import (
    BLUE,
    ORANGE,
    SIGNED,
    draw_signed_bars,
    escape_letters,
    find_strongest,
    shorten,
    take_mosaic,
)
from sksparse_nn.drawing._pictures import (
    measure_gap,
    scale_by_sign,
    scale_to_range,
    show,
    tile,
    to_pictures,
)
from sksparse_nn.inspection.atoms._ahead import (
    find_atom_shape,
    find_image_shape,
    find_names_ahead,
)
from sksparse_nn.inspection.atoms._atoms import class_profile, top_samples
from sksparse_nn.inspection.atoms._codes import code_rows, find_coder
from sksparse_nn.inspection.atoms._labels import describe_labels


class AtomCardDisplay:
    """Draw a card of one atom.

    Parameters
    ----------
    component : ndarray of shape (n_features,)
        The atom.

    name : str, default="atom"
        Its name.

    image_shape : tuple of int, default=None
        Height and width of the atom as a picture, and for colours three channels, first
        or last. None draws bars.

    channel_axis : {0, 2, -1} or None, default=None
        Axis of the channels in an `image_shape` of three; None for the smaller end.

    feature_names : array-like of shape (n_features,), default=None
        Names for the bars.

    profile : dict or sklearn.utils.Bunch, default=None
        With ``classes``; ``shares`` of the atom's usage of shape (n_classes,);
        ``chance_mean`` and ``chance_std`` of the largest share by chance.

    samples : dict or sklearn.utils.Bunch, default=None
        With ``rows``, the samples in which it is strongest; their ``codes``;
        ``names``; and, where they can be drawn, ``pictures`` of shape (n_samples,
        height, width[, 3]), or None.

    usage : float, default=None
        Share of samples that use the atom.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing: the atom; samples, if given; classes, if given.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    atom_table : Table of all atoms.
    DictionaryDisplay : Pictures of all atoms.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> from sksparse_nn.inspection import AtomCardDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(
    ...     16, algorithm="omp", n_nonzero_coefs=3, random_state=0
    ... ).fit(X)
    >>> card = AtomCardDisplay.from_estimator(coder, X, y, atom=3, image_shape=(8, 8))
    >>> card.samples["pictures"].shape
    (5, 8, 8)
    """

    def __init__(
        self,
        component: NDArray,
        *,
        name: str = "atom",
        image_shape: tuple[int, ...] | None = None,
        channel_axis: int | None = None,
        feature_names: ArrayLike | None = None,
        profile: dict | Bunch | None = None,
        samples: dict | Bunch | None = None,
        usage: float | None = None,
    ) -> None:
        self.component = component
        self.name = name
        self.image_shape = image_shape
        self.channel_axis = channel_axis
        self.feature_names = feature_names
        self.profile = profile
        self.samples = samples
        self.usage = usage

    @classmethod
    def from_estimator(
        cls,
        transformer: BaseEstimator,
        X: MatrixLike | Sequence[str],
        y: MatrixLike | None = None,
        *,
        atom: int = 0,
        n_samples: int = 5,
        image_shape: tuple[int, ...] | None = None,
        feature_names: ArrayLike | None = None,
        sample_names: Sequence | None = None,
        n_shuffles: int = 20,
        random_state: Seed = None,
        axes: Sequence | None = None,
    ) -> Self:
        """Describe an atom of a fitted transformer and draw its card.

        Parameters
        ----------
        transformer : transformer
            With ``components_``, or a pipeline of transformers that ends in one.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples.

        y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_labels),\
                default=None
            Their classes, or an indicator of several labels.

        atom : int, default=0
            Index of the atom.

        n_samples : int, default=5
            Samples in which it is strongest.

        image_shape : tuple of int, default=None
            Shape of atoms and samples as pictures. An `ImagePatchCoder` defines it.

        feature_names : array-like of shape (n_features,), default=None
            Names for the bars; None for the names from the steps ahead.

        sample_names : sequence of shape (n_samples,), default=None
            Names of the samples; None for their first words if they are texts,
            otherwise for their indices and classes.

        n_shuffles : int, default=20
            Passed to `class_profile`.

        random_state : int, RandomState instance or None, default=None
            Passed to `class_profile`.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : AtomCardDisplay
            The display, drawn.
        """
        coder = find_coder(transformer)
        codes = code_rows(transformer, X)[:, [atom]]
        rows = top_samples(codes, n_samples)[0]
        rows = rows[rows >= 0]
        if feature_names is None:
            feature_names = find_names_ahead(transformer)
        atom_shape, channel_axis = find_atom_shape(coder, image_shape)
        return cls(
            coder.components_[atom],
            name=f"atom {atom}",
            image_shape=atom_shape,
            channel_axis=channel_axis,
            feature_names=feature_names,
            profile=None if y is None else _profile(codes, y, n_shuffles, random_state),
            samples={
                "rows": rows,
                "codes": codes[rows].toarray()[:, 0],
                "names": _sample_names(X, y, sample_names, rows),
                "pictures": _sample_pictures(X, coder, image_shape, rows),
            },
            usage=codes.count_nonzero() / codes.shape[0],
        ).plot(axes=axes)

    def plot(
        self, *, axes: Sequence | None = None, n_features: int = 8, cmap: Any = SIGNED
    ) -> Self:
        """Draw the atom, samples and classes.

        The dashed line at the classes is the largest share by chance; the band covers
        two standard deviations on each side.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes to draw on: the atom, then samples and classes, where they are given;
            None for a new figure.

        n_features : int, default=8
            Number of features to draw as bars.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colour map of an atom without colour channels.

        Returns
        -------
        display : AtomCardDisplay
            The display itself.
        """
        parts = [self._draw_atom(n_features, cmap)]
        parts += [self._draw_samples] if self._has_samples() else []
        parts += [self._draw_profile] if self.profile is not None else []
        self.axes_ = take_mosaic(axes, _MOSAICS[len(parts)], figsize=(7, 4.2))
        self.figure_ = self.axes_[0].figure
        for ax, draw in zip(self.axes_, parts, strict=True):
            draw(ax)
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        text = shorten(self.name)
        text = text[:1].upper() + text[1:]
        text += (
            "" if self.usage is None else f" is used by {self.usage:.1%} of the samples"
        )
        if self.image_shape is None:
            names = ", ".join(shorten(name) for name in self._find_strongest(3)[0])
            text += f". Strongest features: {names}"
        if self.profile is not None:
            top = np.argmax(self.profile["shares"])
            text += (
                f". Its largest share, {self.profile['shares'][top]:.0%}"
                f", belongs to class {shorten(self.profile['classes'][top])}"
                f"; by chance it would be {self.profile['chance_mean']:.0%}"
            )
        if self._has_samples():
            names = ", ".join(shorten(name, 40) for name in self.samples["names"])
            text += f". Strongest in: {names}"
        return text + "."

    def _has_samples(self):
        return self.samples is not None and len(self.samples["rows"]) > 0

    def _find_strongest(self, n_features):
        values = np.asarray(self.component)
        places, names = find_strongest(values, n_features), self.feature_names
        if names is None:
            return [f"x{place}" for place in places], values[places]
        return np.asarray(names, dtype=object)[places].tolist(), values[places]

    def _draw_atom(self, n_features, cmap):
        def draw(ax):
            if self.image_shape is None:
                draw_signed_bars(ax, *self._find_strongest(n_features), most=18)
            else:
                shape = self.image_shape, self.channel_axis
                picture = scale_by_sign(to_pictures(self.component, *shape))[0]
                show(ax, picture, cmap=cmap, vmin=-1, vmax=1)
            used = "" if self.usage is None else f", used by {self.usage:.1%}"
            ax.set_title(escape_letters(self.name) + used, fontsize=9)

        return draw

    def _draw_samples(self, ax):
        names, pictures = self.samples["names"], self.samples.get("pictures")
        ax.set_title("strongest samples", fontsize=9)
        if pictures is None:
            draw_signed_bars(ax, names, self.samples["codes"], most=22)
            ax.set_xlabel("code", fontsize=8)
            return
        picture = tile(
            scale_to_range(pictures, pictures.min(), pictures.max()), len(pictures)
        )
        show(ax, picture, cmap="gray", vmin=0, vmax=1)
        width = pictures.shape[2]
        centres = np.arange(len(pictures)) * (width + measure_gap(pictures)) + width / 2
        ax.set_xticks(
            centres - 0.5,
            [escape_letters(name, 20) for name in names],
            fontsize=7,
            rotation=40,
            ha="right",
            rotation_mode="anchor",
        )
        ax.tick_params(axis="x", length=0)

    def _draw_profile(self, ax):
        shares, mean = 100 * self.profile["shares"], 100 * self.profile["chance_mean"]
        places, spread = np.arange(len(shares)), 200 * self.profile["chance_std"]
        ax.barh(places, shares, color=BLUE)
        style = {"color": ORANGE, "zorder": 3}
        ax.axvline(mean, linestyle="--", **style)
        ax.axvspan(mean - spread, mean + spread, alpha=0.2, linewidth=0, color=ORANGE)
        names = [escape_letters(name) for name in self.profile["classes"]]
        ax.set_yticks(places, names, fontsize=8 if len(names) <= 12 else 7)
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("% of its use\n(dashed: chance)", fontsize=8)
        ax.tick_params(axis="x", labelsize=8)
        ax.set_title("classes", fontsize=9)
        ax.grid(axis="x", alpha=0.3)


# Layout of the atom (0) and the axes that follow it.
_MOSAICS = {1: [[0]], 2: [[0, 1]], 3: [[0, 2], [1, 2]]}


def _profile(codes, y, n_shuffles, random_state):
    """Return the class profile of a single atom."""
    profile = class_profile(codes, y, n_shuffles=n_shuffles, random_state=random_state)
    for name in ("shares", "chance_mean", "chance_std"):
        profile[name] = profile[name][0]
    return profile


def _sample_names(X, y, names, rows):
    if names is not None:
        return [str(name) for name in _safe_indexing(names, rows)]
    is_list = isinstance(X, list | tuple) and isinstance(X[0], str)
    if is_list or getattr(X, "ndim", 2) == 1:
        return [shorten(text, 200) for text in _safe_indexing(X, rows)]
    if y is None:
        return [f"row {row}" for row in rows]
    named = zip(rows, describe_labels(y, rows), strict=True)
    return [f"row {row}: {name}" for row, name in named]


def _sample_pictures(X, coder, image_shape, rows):
    shape, channel_axis = find_image_shape(coder, image_shape)
    if shape is None or not len(rows):
        return None
    samples = _safe_indexing(X, rows)
    samples = samples.toarray() if sparse.issparse(samples) else samples
    return to_pictures(samples, shape, channel_axis)
