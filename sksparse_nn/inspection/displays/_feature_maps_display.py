"""Where in images atoms occur."""

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
from sksparse_nn.drawing._canvas import SIGNED, take_axes
from sksparse_nn.drawing._pictures import (
    scale_by_sign,
    scale_to_range,
    show,
    to_pictures,
)
from sksparse_nn.feature_extraction import ImagePatchCoder
from sksparse_nn.inspection.atoms._ahead import find_atom_shape
from sksparse_nn.inspection.atoms._codes import find_coder, to_array
from sksparse_nn.inspection.atoms._maps import compute_feature_maps


class FeatureMapsDisplay:
    """Draw images beside the codes of their patches, place by place.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width[, 3])
        Pictures.

    maps : ndarray of shape (n_images, map_height, map_width, n_atoms)
        Code of each patch.

    patches : ndarray of shape (n_atoms, patch_height, patch_width[, 3])
        Atoms as pictures.

    atoms : array-like of int of shape (n_atoms,), default=None
        Numbers of the atoms; None for 0, 1, and so on.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the drawing, row by row: atoms first, then an image and its maps.

    figure_ : matplotlib Figure
        Figure that the axes belong to.

    See Also
    --------
    DictionaryDisplay : All atoms.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import ImagePatchCoder
    >>> from sksparse_nn.inspection import FeatureMapsDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = ImagePatchCoder(16, patch_size=3, max_epochs=1, random_state=0).fit(X)
    >>> display = FeatureMapsDisplay.from_estimator(coder, X, rows=[0, 1])
    >>> display.maps.shape
    (2, 6, 6, 6)
    """

    def __init__(
        self,
        images: NDArray,
        maps: NDArray,
        patches: NDArray,
        *,
        atoms: ArrayLike | None = None,
    ) -> None:
        self.images = images
        self.maps = maps
        self.patches = patches
        self.atoms = atoms

    @classmethod
    def from_estimator(
        cls,
        transformer: BaseEstimator,
        X: MatrixLike,
        *,
        rows: ArrayLike = (0, 1, 2, 3),
        atoms: ArrayLike | None = None,
        n_atoms: int = 6,
        axes: Sequence | None = None,
    ) -> Self:
        """Code images place by place and draw the maps.

        Parameters
        ----------
        transformer : transformer
            A fitted `ImagePatchCoder`, or a pipeline of transformers that ends in one.

        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Images, one per row.

        rows : sequence of int, default=(0, 1, 2, 3)
            Indices of the images to draw.

        atoms : sequence of int, default=None
            Atoms to draw; None for those with the largest codes in these images.

        n_atoms : int, default=6
            Number of atoms to draw if `atoms` is None.

        axes : sequence of matplotlib Axes, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : FeatureMapsDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the transformer does not code patches of images.
        """
        check_structure(X)
        coder = find_coder(transformer)
        if not isinstance(coder, ImagePatchCoder):
            raise TypeError(
                "transformer must be an ImagePatchCoder, or end in one. Got "
                f"{type(coder).__name__}; its atoms have no places."
            )
        rows = [row for row in rows if row < X.shape[0]]
        images = to_array(transform_ahead(transformer, _safe_indexing(X, rows)))
        maps = compute_feature_maps(coder, images)
        if atoms is None:
            atoms = _find_strongest(maps, n_atoms)
        shape, axis = find_atom_shape(coder)
        return cls(
            _draw_images(coder, images),
            maps[..., atoms],
            to_pictures(coder.components_[atoms], shape, axis),
            atoms=atoms,
        ).plot(axes=axes)

    def plot(self, *, axes: Sequence | None = None, cmap: Any = SIGNED) -> Self:
        """Draw the atoms in the first row, and below an image and its maps per row.

        All maps share one scale.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Axes to draw on, ``(1 + n_images) * (1 + n_atoms)`` of them, of which the
            first stays empty; None for a new figure.

        cmap : str or matplotlib Colormap, default="RdBu_r"
            Colour map of maps, and of atoms without colour channels.

        Returns
        -------
        display : FeatureMapsDisplay
            The display itself.
        """
        maps = np.asarray(self.maps)
        n_rows, n_columns = 1 + len(maps), 1 + maps.shape[3]
        size = 0.9 * n_columns, 0.9 * n_rows + 0.3
        self.axes_ = take_axes(
            axes, n_rows * n_columns, n_columns=n_columns, figsize=size
        )
        self.figure_ = self.axes_[0].figure
        grid = self.axes_.reshape(n_rows, n_columns)
        grid[0, 0].set(xticks=[], yticks=[])
        grid[0, 0].set_axis_off()
        names = range(maps.shape[3]) if self.atoms is None else self.atoms
        patches = scale_by_sign(np.asarray(self.patches))
        for ax, patch, name in zip(grid[0, 1:], patches, names, strict=True):
            show(ax, patch, cmap=cmap, vmin=-1, vmax=1)
            ax.set_title(f"atom {name}", fontsize=7)
        scaled = maps / (np.abs(maps).max(initial=0) or 1)
        for line, image, codes in zip(grid[1:], self.images, scaled, strict=True):
            show(line[0], image, cmap="gray")
            for ax, values in zip(line[1:], np.moveaxis(codes, 2, 0), strict=True):
                show(ax, values, cmap=cmap, vmin=-1, vmax=1)
        return self

    def describe(self) -> str:
        """Describe the drawing in words.

        Returns
        -------
        text : str
            One or two sentences.
        """
        n_images, height, width, n_atoms = np.shape(self.maps)
        share = np.mean(np.asarray(self.maps) != 0)
        return (
            f"{n_images} images and the codes of their patches at {height} by {width} "
            f"places, for {n_atoms} atoms; {share:.0%} of these codes are not zero."
        )


def _find_strongest(maps, n_atoms):
    sizes = np.abs(maps).sum(axis=(0, 1, 2))
    return np.argsort(-sizes, kind="stable")[:n_atoms]


def _draw_images(coder, images):
    """Return images as pictures with values between 0 and 1."""
    layout = coder._layout
    shape, axis = (layout.height, layout.width), None
    if layout.n_channels > 1:
        axis = 0 if layout.channels_first else -1
        shape = np.insert(shape, 0 if axis == 0 else 2, layout.n_channels)
    pictures = to_pictures(images, tuple(shape), axis)
    return scale_to_range(pictures, pictures.min(), pictures.max())
