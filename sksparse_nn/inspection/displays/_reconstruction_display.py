"""A row, its strongest parts, their sum, and what is left over."""

import numpy as np
from sklearn.utils import _safe_indexing

from sksparse_nn._pipelines import transform_ahead
from sksparse_nn._structure import check_structure
from sksparse_nn.drawing._canvas import (
    SIGNED,
    lettered,
    shortened,
    signed_bars,
    take_axes,
)
from sksparse_nn.drawing._pictures import as_pictures, ranged, show, signed
from sksparse_nn.inspection.atoms._ahead import names_ahead
from sksparse_nn.inspection.atoms._codes import coder_of, dense


class ReconstructionDisplay:
    """Draw how atoms add up to a row.

    Parameters
    ----------
    original : ndarray of shape (n_features,)
        The row.

    parts : ndarray of shape (n_parts, n_features)
        What each atom adds, the strongest first.

    coefficients : ndarray of shape (n_parts,), default=None
        How much of each atom that is.

    part_names : sequence of str, default=None
        Names of the atoms; None for their places.

    offset : ndarray of shape (n_features,), default=None
        What is there without atoms, such as a mean.

    image_shape : tuple of int, default=None
        Height and width of the row as a picture, and for colours three channels, first
        or last. None draws bars.

    feature_names : array-like of shape (n_features,), default=None
        Names for the bars.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Where it was drawn: the row, parts, the sum, and what is left over.

    figure_ : matplotlib Figure
        Of the axes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> from sksparse_nn.inspection import ReconstructionDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(
    ...     16, algorithm="omp", n_nonzero_coefs=3, random_state=0
    ... ).fit(X)
    >>> display = ReconstructionDisplay.from_estimator(coder, X, image_shape=(8, 8))
    >>> display.parts.shape
    (3, 64)
    """

    def __init__(
        self,
        original,
        parts,
        *,
        coefficients=None,
        part_names=None,
        offset=None,
        image_shape=None,
        feature_names=None,
    ):
        self.original = original
        self.parts = parts
        self.coefficients = coefficients
        self.part_names = part_names
        self.offset = offset
        self.image_shape = image_shape
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls, transformer, X, *, row=0, image_shape=None, feature_names=None, axes=None
    ):
        """Take a row apart and draw it.

        Parameters
        ----------
        transformer : transformer
            Fitted, with ``components_`` and ``inverse_transform``, or a pipeline of
            transformers that ends in one; drawn is what that one is given.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples.

        row : int, default=0
            Which of them.

        image_shape : tuple of int, default=None
            As above.

        feature_names : array-like of shape (n_features,), default=None
            Names for the bars; None for what the steps ahead call them.

        axes : sequence of matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : ReconstructionDisplay
            Drawn.

        Raises
        ------
        TypeError
            If codes do not add up to rows.
        """
        coder = coder_of(transformer)
        if not hasattr(coder, "inverse_transform"):
            raise TypeError(
                "transformer must have inverse_transform, so that its codes add up to "
                f"rows. Got {coder!r}."
            )
        check_structure(X)
        given = transform_ahead(transformer, _safe_indexing(X, [row]))
        if feature_names is None:
            feature_names = names_ahead(transformer)
        offset, found = _taken_apart(coder, given)
        return cls(
            dense(given)[0].astype(np.float64),
            offset=offset,
            image_shape=image_shape,
            feature_names=feature_names,
            **found,
        ).plot(axes=axes)

    @property
    def total(self):
        """What the atoms and the offset add up to.

        Returns
        -------
        total : ndarray of shape (n_features,)
            Their sum.
        """
        start = 0 if self.offset is None else self.offset
        return np.sum(self.parts, axis=0) + start

    @property
    def error(self):
        """Share of the row's energy that is left over.

        Returns
        -------
        error : float
            Squared norm of what is left over by that of the row.
        """
        original = np.asarray(self.original, dtype=np.float64)
        energy = np.sum(np.square(original))
        left = np.sum(np.square(original - self.total))
        return float(left / energy) if energy else 0.0

    def plot(self, *, axes=None, n_parts=5, n_features=8, cmap=SIGNED):
        """Draw the row, its strongest parts, their sum and what is left over.

        Parts share one scale.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw: the row; the offset, if there is one; parts; the rest of
            them together, if there are more; their sum; what is left over. None for a
            new figure.

        n_parts : int, default=5
            Parts to draw.

        n_features : int, default=8
            Bars of each.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colours of parts of pictures without colours.

        Returns
        -------
        display : ReconstructionDisplay
            This one.
        """
        panels = self._panels(n_parts)
        n_columns = -(-len(panels) // 2)
        height = 0.4 * n_features + 1.2 if self.image_shape is None else 3.5
        size = max(6, 1.4 * n_columns), height
        self.axes_ = take_axes(axes, len(panels), n_columns=n_columns, figsize=size)
        self.figure_ = self.axes_[0].figure
        if self.image_shape is None:
            self._draw_bars(panels, n_features, n_columns)
        else:
            self._draw_pictures(panels, cmap)
        for ax, (title, *_) in zip(self.axes_, panels, strict=True):
            ax.set_title(title, fontsize=7)
        return self

    def describe(self):
        """Return a text that can stand for the drawing.

        Returns
        -------
        text : str
            A sentence or two.
        """
        names = [shortened(self._name(part)) for part in range(len(self.parts))]
        text = (
            f"{len(names)} atoms add up to the row; {self.error:.1%} of its energy is "
            "left over."
        )
        return text + (f" Strongest: {', '.join(names[:5])}." if names else "")

    def _name(self, part):
        name = f"atom {part}" if self.part_names is None else self.part_names[part]
        if self.coefficients is None:
            return name
        return f"{self.coefficients[part]:+.2g} × {name}"

    def _panels(self, n_parts):
        """Return the title of each panel, its numbers, and whether they are signed."""
        parts, total = np.asarray(self.parts), self.total
        panels = [("original", self.original, False)]
        if self.offset is not None and np.any(self.offset):
            panels.append(("without atoms", self.offset, False))
        panels += [
            (lettered(self._name(part)), parts[part], True)
            for part in range(min(n_parts, len(parts)))
        ]
        if len(parts) > n_parts:
            rest = parts[n_parts:].sum(axis=0)
            n_more = len(parts) - n_parts
            panels.append((f"{n_more} more atom{'s'[: n_more > 1]}", rest, True))
        left = self.original - total
        panels.append(("their sum", total, False))
        panels.append((f"left over: {self.error:.1%}", left, True))
        return panels

    def _draw_pictures(self, panels, cmap):
        rows = as_pictures([numbers for _, numbers, _ in panels], self.image_shape)
        is_signed = np.array([flag for *_, flag in panels])
        low, high = rows[0].min(), rows[0].max()
        largest = np.abs(rows[is_signed]).max()
        for ax, picture, flag in zip(self.axes_, rows, is_signed, strict=True):
            if flag:
                drawn = signed(picture[None], largest)[0]
                show(ax, drawn, cmap=cmap, vmin=-1, vmax=1)
            else:
                show(ax, ranged(picture, low, high), cmap="gray", vmin=0, vmax=1)

    def _draw_bars(self, panels, n_features, n_columns):
        """Draw the same features everywhere, named at the left; parts on one scale."""
        heights = np.maximum(np.abs(self.original), np.abs(self.total))
        places = np.argsort(-heights, kind="stable")[:n_features]
        names = self.feature_names
        names = [f"x{place}" if names is None else names[place] for place in places]
        for number, (ax, (_, numbers, _)) in enumerate(
            zip(self.axes_, panels, strict=True)
        ):
            signed_bars(ax, names, numbers[places], most=16)
            if number % n_columns:
                ax.set_yticklabels([])
        is_part = np.array([flag for *_, flag in panels])
        is_part[-1] = False
        for axes in (self.axes_[is_part], self.axes_[~is_part]):
            limits = [ax.get_xlim() for ax in axes]
            for ax in axes:
                ax.set_xlim(np.min(limits), np.max(limits))


def _taken_apart(coder, given):
    """Return what is there without atoms, and what each atom adds, by falling norm."""
    codes = dense(coder.transform(given))[0]
    used = np.flatnonzero(codes)
    one_each = np.zeros((len(used) + 1, len(codes)), dtype=codes.dtype)
    one_each[np.arange(len(used)) + 1, used] = codes[used]
    sums = dense(coder.inverse_transform(one_each)).astype(np.float64)
    parts = sums[1:] - sums[0]
    order = np.argsort(-np.linalg.norm(parts, axis=1), kind="stable")
    used, n_atoms = used[order], len(coder.components_)
    # Of split signs, the second half are the negative ones.
    signs = np.where(used < n_atoms, 1, -1)
    return sums[0], {
        "parts": parts[order],
        "coefficients": signs * codes[used],
        "part_names": [f"atom {place % n_atoms}" for place in used],
    }
