"""One atom: what it is, which classes use it, and where it is strongest."""

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing

from sksparse_nn.drawing._canvas import (
    BLUE,
    ORANGE,
    SIGNED,
    lettered,
    shortened,
    signed_bars,
    strongest,
    take_mosaic,
)
from sksparse_nn.drawing._pictures import (
    as_pictures,
    gap_of,
    ranged,
    show,
    signed,
    tiled,
)
from sksparse_nn.inspection.atoms._ahead import (
    names_ahead,
    shape_of_atoms,
    shape_of_images,
)
from sksparse_nn.inspection.atoms._atoms import class_profile, top_samples
from sksparse_nn.inspection.atoms._codes import coder_of, codes_of_rows
from sksparse_nn.inspection.atoms._labels import names_of


class AtomCardDisplay:
    """Draw all about one atom.

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
        Where in an `image_shape` of three the channels are; None for the smaller end.

    feature_names : array-like of shape (n_features,), default=None
        Names for the bars.

    profile : dict or sklearn.utils.Bunch, default=None
        With ``classes``; ``shares`` of shape (n_classes,), of the atom's use;
        ``chance_mean`` and ``chance_std``, of the largest share by chance.

    samples : dict or sklearn.utils.Bunch, default=None
        With ``rows``, the samples in which it is strongest; ``codes``, how strong;
        ``names``; and, where they can be drawn, ``pictures`` of shape (n_samples,
        height, width[, 3]), or None.

    usage : float, default=None
        Share of samples that use it.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Where it was drawn: the atom; samples, if given; classes, if given.

    figure_ : matplotlib Figure
        Of the axes.

    See Also
    --------
    atom_table : All atoms in numbers.
    DictionaryDisplay : All atoms in pictures.

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
        component,
        *,
        name="atom",
        image_shape=None,
        channel_axis=None,
        feature_names=None,
        profile=None,
        samples=None,
        usage=None,
    ):
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
        transformer,
        X,
        y=None,
        *,
        atom=0,
        n_samples=5,
        image_shape=None,
        feature_names=None,
        sample_names=None,
        n_shuffles=20,
        random_state=None,
        axes=None,
    ):
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
            Which atom.

        n_samples : int, default=5
            Samples in which it is strongest.

        image_shape : tuple of int, default=None
            Shape of atoms and samples as pictures. An `ImagePatchCoder` knows it.

        feature_names : array-like of shape (n_features,), default=None
            Names for the bars; None for what the steps ahead call them.

        sample_names : sequence of shape (n_samples,), default=None
            Names of the samples; None for their beginnings, if they are texts, or else
            their places and classes.

        n_shuffles : int, default=20
            Of `class_profile`.

        random_state : int, RandomState instance or None, default=None
            Of `class_profile`.

        axes : sequence of matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : AtomCardDisplay
            Drawn.
        """
        coder = coder_of(transformer)
        codes = codes_of_rows(transformer, X)[:, [atom]]
        rows = top_samples(codes, n_samples)[0]
        rows = rows[rows >= 0]
        if feature_names is None:
            feature_names = names_ahead(transformer)
        atom_shape, channel_axis = shape_of_atoms(coder, image_shape)
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

    def plot(self, *, axes=None, n_features=8, cmap=SIGNED):
        """Draw the atom, samples and classes.

        The dashed line at the classes is the largest share by chance; the band has two
        standard deviations at each side.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw: the atom, then samples and classes, where they are given;
            None for a new figure.

        n_features : int, default=8
            Bars of the atom.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colours of an atom without colours.

        Returns
        -------
        display : AtomCardDisplay
            This one.
        """
        parts = [self._draw_atom(n_features, cmap)]
        parts += [self._draw_samples] if self._has_samples() else []
        parts += [self._draw_profile] if self.profile is not None else []
        self.axes_ = take_mosaic(axes, _MOSAICS[len(parts)], figsize=(7, 4.2))
        self.figure_ = self.axes_[0].figure
        for ax, draw in zip(self.axes_, parts, strict=True):
            draw(ax)
        return self

    def describe(self):
        """Return a text that can stand for the drawing.

        Returns
        -------
        text : str
            A sentence or two.
        """
        text = shortened(self.name)
        text = text[:1].upper() + text[1:]
        text += "" if self.usage is None else f" serves {self.usage:.1%} of the samples"
        if self.image_shape is None:
            names = ", ".join(shortened(name) for name in self._strongest(3)[0])
            text += f". Strongest features: {names}"
        if self.profile is not None:
            top = np.argmax(self.profile["shares"])
            text += (
                f". Its largest share, {self.profile['shares'][top]:.0%}, is of class "
                f"{shortened(self.profile['classes'][top])}; by chance that would be "
                f"{self.profile['chance_mean']:.0%}"
            )
        if self._has_samples():
            names = ", ".join(shortened(name, 40) for name in self.samples["names"])
            text += f". Strongest in: {names}"
        return text + "."

    def _has_samples(self):
        return self.samples is not None and len(self.samples["rows"]) > 0

    def _strongest(self, n_features):
        values = np.asarray(self.component)
        places, names = strongest(values, n_features), self.feature_names
        if names is None:
            return [f"x{place}" for place in places], values[places]
        return np.asarray(names, dtype=object)[places].tolist(), values[places]

    def _draw_atom(self, n_features, cmap):
        def draw(ax):
            if self.image_shape is None:
                signed_bars(ax, *self._strongest(n_features), most=18)
            else:
                shape = self.image_shape, self.channel_axis
                picture = signed(as_pictures(self.component, *shape))[0]
                show(ax, picture, cmap=cmap, vmin=-1, vmax=1)
            used = "" if self.usage is None else f", used by {self.usage:.1%}"
            ax.set_title(lettered(self.name) + used, fontsize=9)

        return draw

    def _draw_samples(self, ax):
        names, pictures = self.samples["names"], self.samples.get("pictures")
        ax.set_title("where it is strongest", fontsize=9)
        if pictures is None:
            signed_bars(ax, names, self.samples["codes"], most=22)
            ax.set_xlabel("code", fontsize=8)
            return
        picture = tiled(ranged(pictures, pictures.min(), pictures.max()), len(pictures))
        show(ax, picture, cmap="gray", vmin=0, vmax=1)
        width = pictures.shape[2]
        centres = np.arange(len(pictures)) * (width + gap_of(pictures)) + width / 2
        ax.set_xticks(
            centres - 0.5,
            [lettered(name, 20) for name in names],
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
        names = [lettered(name) for name in self.profile["classes"]]
        ax.set_yticks(places, names, fontsize=8 if len(names) <= 12 else 7)
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("% of its use\n(dashed: chance)", fontsize=8)
        ax.tick_params(axis="x", labelsize=8)
        ax.set_title("classes", fontsize=9)
        ax.grid(axis="x", alpha=0.3)


# Where the atom (0) and what follows it stand.
_MOSAICS = {1: [[0]], 2: [[0, 1]], 3: [[0, 2], [1, 2]]}


def _profile(codes, y, n_shuffles, random_state):
    """Return the class profile of the only atom."""
    profile = class_profile(codes, y, n_shuffles=n_shuffles, random_state=random_state)
    for name in ("shares", "chance_mean", "chance_std"):
        profile[name] = profile[name][0]
    return profile


def _sample_names(X, y, names, rows):
    if names is not None:
        return [str(name) for name in _safe_indexing(names, rows)]
    is_list = isinstance(X, list | tuple) and isinstance(X[0], str)
    if is_list or getattr(X, "ndim", 2) == 1:
        return [shortened(text, 200) for text in _safe_indexing(X, rows)]
    if y is None:
        return [f"row {row}" for row in rows]
    named = zip(rows, names_of(y, rows), strict=True)
    return [f"row {row}: {name}" for row, name in named]


def _sample_pictures(X, coder, image_shape, rows):
    shape, channel_axis = shape_of_images(coder, image_shape)
    if shape is None or not len(rows):
        return None
    samples = _safe_indexing(X, rows)
    samples = samples.toarray() if sparse.issparse(samples) else samples
    return as_pictures(samples, shape, channel_axis)
