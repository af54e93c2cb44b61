"""A sample, its strongest parts, their sum, and the residual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing

from sksparse_nn._pipelines import transform_ahead
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn.drawing._canvas import (
    SIGNED,
    draw_signed_bars,
    escape_letters,
    shorten,
    take_axes,
)
from sksparse_nn.drawing._pictures import (
    scale_by_sign,
    scale_to_range,
    show,
    to_pictures,
)
from sksparse_nn.inspection.atoms._ahead import find_names_ahead
from sksparse_nn.inspection.atoms._codes import find_coder, to_array


class ReconstructionDisplay:
    """Draw a sample as a sum of atoms.

    Parameters
    ----------
    original : ndarray of shape (n_features,)
        The sample.

    parts : ndarray of shape (n_parts, n_features)
        Contribution of each atom, the strongest first.

    coefficients : ndarray of shape (n_parts,), default=None
        Coefficient of each atom.

    part_names : sequence of str, default=None
        Names of the atoms; None for indices.

    offset : ndarray of shape (n_features,), default=None
        Reconstruction without atoms, such as a mean.

    image_shape : tuple of int, default=None
        Height and width of the sample as a picture, and for colours three channels,
        first or last. None draws bars.

    feature_names : array-like of shape (n_features,), default=None
        Names for the bars.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing: the sample, parts, their sum, and the residual.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

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
        original: NDArray,
        parts: NDArray,
        *,
        coefficients: NDArray | None = None,
        part_names: Sequence[str] | None = None,
        offset: NDArray | None = None,
        image_shape: tuple[int, ...] | None = None,
        feature_names: ArrayLike | None = None,
    ) -> None:
        self.original = original
        self.parts = parts
        self.coefficients = coefficients
        self.part_names = part_names
        self.offset = offset
        self.image_shape = image_shape
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        transformer: BaseEstimator,
        X: MatrixLike | Sequence[str],
        *,
        row: int = 0,
        image_shape: tuple[int, ...] | None = None,
        feature_names: ArrayLike | None = None,
        axes: Sequence | None = None,
    ) -> Self:
        """Split a sample into parts and draw it.

        Parameters
        ----------
        transformer : transformer
            Fitted, with ``components_`` and ``inverse_transform``, or a pipeline of
            transformers that ends in one, whose input is drawn.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples.

        row : int, default=0
            Index of the sample.

        image_shape : tuple of int, default=None
            As in the class.

        feature_names : array-like of shape (n_features,), default=None
            Names for the bars; None for the names from the steps ahead.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : ReconstructionDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the transformer has no `inverse_transform`.
        """
        coder = find_coder(transformer)
        if not hasattr(coder, "inverse_transform"):
            raise TypeError(
                "transformer must have inverse_transform, so that its codes add up to "
                f"samples. Got {coder!r}."
            )
        check_structure(X)
        given = transform_ahead(transformer, _safe_indexing(X, [row]))
        if feature_names is None:
            feature_names = find_names_ahead(transformer)
        offset, found = _take_apart(coder, given)
        return cls(
            to_array(given)[0].astype(np.float64),
            offset=offset,
            image_shape=image_shape,
            feature_names=feature_names,
            **found,
        ).plot(axes=axes)

    @property
    def total(self) -> NDArray:
        """Sum of the parts and the offset.

        Returns
        -------
        total : ndarray of shape (n_features,)
            The sum.
        """
        start = 0 if self.offset is None else self.offset
        return np.sum(self.parts, axis=0) + start

    @property
    def error(self) -> float:
        """Share of the sample's energy in the residual.

        Returns
        -------
        error : float
            Squared norm of the residual divided by that of the sample.
        """
        original = np.asarray(self.original, dtype=np.float64)
        energy = np.sum(np.square(original))
        left = np.sum(np.square(original - self.total))
        return float(left / energy) if energy else 0.0

    def plot(
        self,
        *,
        axes: Sequence | None = None,
        n_parts: int = 5,
        n_features: int = 8,
        cmap: Any = SIGNED,
    ) -> Self:
        """Draw the sample, its strongest parts, their sum and the residual.

        Parts share one scale.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes to draw on: the sample; the offset, if there is one; parts; the sum of
            the remaining parts, if there are more; the sum of all; the residual. None
            for a new figure.

        n_parts : int, default=5
            Number of parts to draw.

        n_features : int, default=8
            Number of bars per part.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colour map of parts of pictures without colour channels.

        Returns
        -------
        display : ReconstructionDisplay
            The display itself.
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

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        names = [shorten(self._name(part)) for part in range(len(self.parts))]
        text = (
            f"{len(names)} atoms add up to the sample; {self.error:.1%} of its energy "
            "is left over."
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
            (escape_letters(self._name(part)), parts[part], True)
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
        rows = to_pictures([numbers for _, numbers, _ in panels], self.image_shape)
        is_signed = np.array([flag for *_, flag in panels])
        low, high = rows[0].min(), rows[0].max()
        largest = np.abs(rows[is_signed]).max()
        for ax, picture, flag in zip(self.axes_, rows, is_signed, strict=True):
            if flag:
                drawn = scale_by_sign(picture[None], largest)[0]
                show(ax, drawn, cmap=cmap, vmin=-1, vmax=1)
            else:
                show(
                    ax, scale_to_range(picture, low, high), cmap="gray", vmin=0, vmax=1
                )

    def _draw_bars(self, panels, n_features, n_columns):
        """Draw the same features on all axes, with parts on one scale."""
        heights = np.maximum(np.abs(self.original), np.abs(self.total))
        places = np.argsort(-heights, kind="stable")[:n_features]
        names = self.feature_names
        names = [f"x{place}" if names is None else names[place] for place in places]
        for number, (ax, (_, numbers, _)) in enumerate(
            zip(self.axes_, panels, strict=True)
        ):
            draw_signed_bars(ax, names, numbers[places], most=16)
            if number % n_columns:
                ax.set_yticklabels([])
        is_part = np.array([flag for *_, flag in panels])
        is_part[-1] = False
        for axes in (self.axes_[is_part], self.axes_[~is_part]):
            limits = [ax.get_xlim() for ax in axes]
            for ax in axes:
                ax.set_xlim(np.min(limits), np.max(limits))


def _take_apart(coder, given):
    """Return the offset, and the parts of atoms by decreasing norm."""
    codes = to_array(coder.transform(given))[0]
    used = np.flatnonzero(codes)
    one_each = np.zeros((len(used) + 1, len(codes)), dtype=codes.dtype)
    one_each[np.arange(len(used)) + 1, used] = codes[used]
    sums = to_array(coder.inverse_transform(one_each)).astype(np.float64)
    parts = sums[1:] - sums[0]
    order = np.argsort(-np.linalg.norm(parts, axis=1), kind="stable")
    used, n_atoms = used[order], len(coder.components_)
    # With split signs, the second half holds the negative parts.
    signs = np.where(used < n_atoms, 1, -1)
    return sums[0], {
        "parts": parts[order],
        "coefficients": signs * codes[used],
        "part_names": [f"atom {place % n_atoms}" for place in used],
    }
