"""What atoms and features add to one prediction."""

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.utils import _safe_indexing

from sksparse_nn._structure import check_structure
from sksparse_nn.drawing._canvas import (
    SIGNED,
    lettered,
    shortened,
    signed_bars,
    strongest,
    take_axes,
)
from sksparse_nn.drawing._pictures import as_pictures, ranged, show
from sksparse_nn.inspection.attribution._attribution import attribute_stages
from sksparse_nn.inspection.attribution._stages import read_stages


class AttributionDisplay:
    """Draw what adds to an output for one sample.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms,), default=None
        What each atom adds; None where there are none.

    features : ndarray of shape (n_features,), default=None
        What each feature adds.

    atom_names, feature_names : array-like of str, default=None
        Their names; None for their numbers.

    values : ndarray of shape (n_features,), default=None
        The features of the sample, as the picture behind the map.

    image_shape : tuple of int, default=None
        Height and width of the sample as a picture, and for colours three channels,
        first or last. None draws bars.

    target : object, default=None
        Class or target that is added to.

    output : float, default=None
        Its output.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Where it was drawn: features, then atoms.

    figure_ : matplotlib Figure
        Of the axes.

    See Also
    --------
    attribute : The numbers.

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
        atoms=None,
        *,
        features=None,
        atom_names=None,
        feature_names=None,
        values=None,
        image_shape=None,
        target=None,
        output=None,
    ):
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
        estimator,
        X,
        *,
        row=0,
        target=None,
        image_shape=None,
        features=True,
        tol=1e-3,
        axes=None,
    ):
        """Attribute a prediction of a fitted estimator and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted, as in `attribute`.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples.

        row : int, default=0
            Which of them.

        target : object, default=None
            Label of a class, or number of a label or target; None for the predicted
            class, the most probable label, or the first target.

        image_shape : tuple of int, default=None
            As above.

        features : bool, default=True
            Whether to go on to the features.

        tol : float, default=1e-3
            Of `attribute`.

        axes : sequence of matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : AttributionDisplay
            Drawn.
        """
        check_structure(X)
        stages = read_stages(estimator, _safe_indexing(X, [row]))
        display = attribution_of_row(
            stages, target=target, image_shape=image_shape, features=features, tol=tol
        )
        return display.plot(axes=axes)

    def plot(self, *, axes=None, n_bars=10, cmap=SIGNED):
        """Draw features as a map or as bars, and atoms as bars.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw: features and atoms, or what there is of them; None for a new
            figure.

        n_bars : int, default=10
            The strongest ones to draw; what the others add is said below.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colours of the map.

        Returns
        -------
        display : AttributionDisplay
            This one.
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
            target = lettered(self.target, 20)
            ax.set_title(f"{'pixels' if is_map else kind}, for {target}", fontsize=10)
        return self

    def describe(self):
        """Return a text that can stand for the drawing.

        Returns
        -------
        text : str
            A sentence or two.
        """
        text = f"What adds to the output for {shortened(self.target)}"
        text += "" if self.output is None else f", which is {self.output:.3g}"
        for kind in ("features", "atoms"):
            is_map = kind == "features" and self.image_shape is not None
            if self._has(kind) and not is_map:
                values, names = getattr(self, kind), self._names(kind)
                text += f". Strongest {kind}: " + ", ".join(
                    f"{shortened(names[place])} {values[place]:+.3g}"
                    for place in strongest(values, 3)
                )
            elif is_map:
                height, width = self._map().shape
                row, column = divmod(np.argmax(self._map()), width)
                text += (
                    f". Of {height} by {width} pixels the one in row {row + 1}, column "
                    f"{column + 1} adds most, {self._map().max():+.3g}"
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
        """Return what each pixel adds, its channels together."""
        picture = as_pictures(self.features, self.image_shape)[0]
        return picture if picture.ndim == 2 else picture.sum(axis=2)

    def _draw_map(self, ax, cmap):
        """Draw the map, strong where it says much, over the picture in faint grey."""
        what = self._map()
        largest = np.abs(what).max() or 1
        if self.values is not None:
            picture = as_pictures(self.values, self.image_shape)[0]
            picture = picture if picture.ndim == 2 else picture.mean(axis=2)
            faint = 1 - 0.35 * ranged(picture, picture.min(), picture.max())
            show(ax, faint, cmap="gray", vmin=0, vmax=1)
        style = {"cmap": cmap, "vmin": -largest, "vmax": largest}
        drawn = show(ax, what, alpha=np.sqrt(np.abs(what) / largest), **style)
        bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.8)
        bar.solids.set_alpha(1)
        bar.ax.tick_params(labelsize=8)
        bar.set_label("adds to the output", fontsize=8)

    def _draw_bars(self, ax, kind, n_bars):
        values, names = np.asarray(getattr(self, kind)), self._names(kind)
        places = strongest(values, n_bars)
        signed_bars(ax, [names[place] for place in places], values[places])
        n_others = np.count_nonzero(values) - len(places)
        others = f"\n({n_others} others: {values.sum() - values[places].sum():+.2g})"
        ax.set_xlabel("adds to the output" + (others if n_others else ""), fontsize=8)


def attribution_of_row(stages, *, target=None, image_shape=None, features=True, tol):
    """Attribute a prediction whose row has gone through a pipeline.

    Parameters
    ----------
    stages : Stages
        The pipeline, and the row alone.

    target : object, default=None
        Of `AttributionDisplay.from_estimator`, as the others.

    image_shape : tuple of int, default=None
        Height and width, if samples are pictures.

    features : bool, default=True
        Whether to go on to the features.

    tol : float
        Of `attribute`.

    Returns
    -------
    display : AttributionDisplay
        Not drawn yet.
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
    """Return short names where there is one code an atom."""
    if stages.atoms == stages.first:
        return names
    coder = stages.transformers[stages.atoms - 1]
    if len(coder.components_) != len(names):
        return names
    return np.array([f"atom {atom}" for atom in range(len(names))], dtype=object)


def _values(X, image_shape):
    """Return the sample's features where they are a picture."""
    if image_shape is None:
        return None
    return (X.toarray() if sparse.issparse(X) else np.asarray(X))[0]
