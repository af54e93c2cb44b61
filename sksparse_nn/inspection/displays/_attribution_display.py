"""Contributions of atoms and features to one prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import _safe_indexing

from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn.drawing._canvas import (
    SIGNED,
    draw_signed_bars,
    escape_letters,
    find_strongest,
    shorten,
    take_axes,
)
from sksparse_nn.drawing._pictures import scale_to_range, show, to_pictures
from sksparse_nn.inspection.attribution._attribution import attribute_stages
from sksparse_nn.inspection.attribution._stages import read_stages


class AttributionDisplay:
    """Draw the contributions to an output for one sample.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms,), default=None
        Contribution of each atom; None without atoms.

    features : ndarray of shape (n_features,), default=None
        Contribution of each feature.

    atom_names, feature_names : array-like of str, default=None
        Names; None for indices.

    values : ndarray of shape (n_features,), default=None
        Features of the sample, drawn as the picture behind the map.

    image_shape : tuple of int, default=None
        Height and width of the sample as a picture, and for colours three channels,
        first or last. None draws bars.

    target : object, default=None
        Class or target of the output.

    output : float, default=None
        Value of the output.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing: features, then atoms.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    attribute : Compute the contributions.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer
    >>> from sksparse_nn.inspection import AttributionDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(
    ...     TruncatedSVDReducer(16), SparseNetClassifier((), max_epochs=5)
    ... ).fit(X / 16, y)
    >>> display = AttributionDisplay.from_estimator(
    ...     model, X[:10] / 16, row=3, image_shape=(8, 8)
    ... )
    >>> display.features.shape, len(display.axes_)
    ((64,), 2)
    """

    def __init__(
        self,
        atoms: NDArray | None = None,
        *,
        features: NDArray | None = None,
        atom_names: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
        values: NDArray | None = None,
        image_shape: tuple[int, ...] | None = None,
        target: object = None,
        output: float | None = None,
    ) -> None:
        self.atoms = atoms
        self.features = features
        self.atom_names = atom_names
        self.feature_names = feature_names
        self.values = values
        self.image_shape = image_shape
        self.target = target
        self.output = output

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: MatrixLike | Sequence[str],
        *,
        row: int = 0,
        target: object = None,
        image_shape: tuple[int, ...] | None = None,
        features: bool = True,
        tol: float = 1e-3,
        axes: Sequence | None = None,
    ) -> Self:
        """Attribute a prediction of a fitted estimator and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted, as in `attribute`.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples.

        row : int, default=0
            Index of the sample.

        target : object, default=None
            Label of a class, or number of a label or target; None for the predicted
            class, the most probable label, or the first target.

        image_shape : tuple of int, default=None
            As in the class.

        features : bool, default=True
            Whether to attribute to features too.

        tol : float, default=1e-3
            Passed to `attribute`.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : AttributionDisplay
            The display, drawn.
        """
        check_structure(X)
        stages = read_stages(estimator, _safe_indexing(X, [row]))
        display = attribute_row(
            stages, target=target, image_shape=image_shape, features=features, tol=tol
        )
        return display.plot(axes=axes)

    def plot(
        self, *, axes: Sequence | None = None, n_bars: int = 10, cmap: Any = SIGNED
    ) -> Self:
        """Draw features as a map or as bars, and atoms as bars.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes to draw on: features and atoms, as far as they are given; None for a
            new figure.

        n_bars : int, default=10
            Number of strongest contributions to draw; the sum of the others is in the
            label.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colours of the map.

        Returns
        -------
        display : AttributionDisplay
            The display itself.
        """
        kinds = [kind for kind in ("features", "atoms") if self._has(kind)]
        size = (4 if len(kinds) == 1 else 7), 0.22 * n_bars + 1.4
        self.axes_ = take_axes(axes, len(kinds), figsize=size)
        self.figure_ = self.axes_[0].figure
        for ax, kind in zip(self.axes_, kinds, strict=True):
            is_map = kind == "features" and self.image_shape is not None
            if is_map:
                self._draw_map(ax, cmap)
            else:
                self._draw_bars(ax, kind, n_bars)
            target = escape_letters(self.target, 20)
            ax.set_title(f"{'pixels' if is_map else kind}, for {target}", fontsize=10)
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        text = f"Contributions to the output for {shorten(self.target)}"
        text += "" if self.output is None else f", which is {self.output:.3g}"
        for kind in ("features", "atoms"):
            is_map = kind == "features" and self.image_shape is not None
            if self._has(kind) and not is_map:
                values, names = getattr(self, kind), self._names(kind)
                text += f". Strongest {kind}: " + ", ".join(
                    f"{shorten(names[place])} {values[place]:+.3g}"
                    for place in find_strongest(values, 3)
                )
            elif is_map:
                height, width = self._map().shape
                row, column = divmod(np.argmax(self._map()), width)
                text += (
                    f". Of {height} by {width} pixels, row {row + 1}, column "
                    f"{column + 1} contributes most, {self._map().max():+.3g}"
                )
        return text + "."

    def _has(self, kind):
        return getattr(self, kind) is not None

    def _names(self, kind):
        names = self.atom_names if kind == "atoms" else self.feature_names
        if names is None:
            return [f"{kind[0]}{i}" for i in range(len(getattr(self, kind)))]
        return names

    def _map(self):
        """Return the contribution of each pixel, summed over channels."""
        picture = to_pictures(self.features, self.image_shape)[0]
        return picture if picture.ndim == 2 else picture.sum(axis=2)

    def _draw_map(self, ax, cmap):
        """Draw the map over the picture in faint grey, opaque where it is large."""
        what = self._map()
        largest = np.abs(what).max() or 1
        if self.values is not None:
            picture = to_pictures(self.values, self.image_shape)[0]
            picture = picture if picture.ndim == 2 else picture.mean(axis=2)
            faint = 1 - 0.35 * scale_to_range(picture, picture.min(), picture.max())
            show(ax, faint, cmap="gray", vmin=0, vmax=1)
        style = {"cmap": cmap, "vmin": -largest, "vmax": largest}
        drawn = show(ax, what, alpha=np.sqrt(np.abs(what) / largest), **style)
        bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.8)
        bar.solids.set_alpha(1)
        bar.ax.tick_params(labelsize=8)
        bar.set_label("contribution to the output", fontsize=8)

    def _draw_bars(self, ax, kind, n_bars):
        values, names = np.asarray(getattr(self, kind)), self._names(kind)
        places = find_strongest(values, n_bars)
        draw_signed_bars(ax, [names[place] for place in places], values[places])
        n_others = np.count_nonzero(values) - len(places)
        others = f"\n({n_others} others: {values.sum() - values[places].sum():+.2g})"
        ax.set_xlabel(
            "contribution to the output" + (others if n_others else ""), fontsize=8
        )


def attribute_row(stages, *, target=None, image_shape=None, features=True, tol):
    """Attribute the prediction of one row, given the rows between steps.

    Parameters
    ----------
    stages : Stages
        The pipeline, with a single row.

    target : object, default=None
        As in `AttributionDisplay.from_estimator`, like the other parameters.

    image_shape : tuple of int, default=None
        Height and width, if samples are pictures.

    features : bool, default=True
        Whether to attribute to features too.

    tol : float
        Passed to `attribute`.

    Returns
    -------
    display : AttributionDisplay
        The display, not drawn yet.
    """
    if target is not None:
        outputs = [target]
    else:
        outputs = "predicted" if is_classifier(stages.network) else [0]
    found = attribute_stages(stages, outputs=outputs, features=features, tol=tol)
    is_plain = features and stages.atoms == stages.first
    of_features = {}
    if features:
        of_features = {
            "features": found.features[0, 0],
            "feature_names": found.feature_names,
            "values": _values(stages.rows[0], image_shape),
            "image_shape": image_shape,
        }
    return AttributionDisplay(
        None if is_plain else found.atoms[0, 0],
        atom_names=_atom_names(stages, found.atom_names),
        target=found.targets[0, 0],
        output=found.outputs[0, 0],
        **of_features,
    )


def _atom_names(stages, names):
    """Return short names if there is one code per atom."""
    if stages.atoms == stages.first:
        return names
    coder = stages.transformers[stages.atoms - 1]
    if len(coder.components_) != len(names):
        return names
    return np.array([f"atom {atom}" for atom in range(len(names))], dtype=object)


def _values(X, image_shape):
    """Return the features of the sample if they form a picture."""
    if image_shape is None:
        return None
    return (X.toarray() if sparse.issparse(X) else np.asarray(X))[0]
