"""A layer of pooled codes of patches, whose atoms are trained with the network."""

from __future__ import annotations

from math import prod

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.nn import functional

from sksparse_nn.modules._coding import CodingLayer
from sksparse_nn.modules._dictionary import (
    PositiveNumber,
    check_dictionary,
    check_samples,
)
from sksparse_nn.modules._facts import count_multiply_adds
from sksparse_nn.modules._modes import in_full_precision
from sksparse_nn.modules._patch_pooling import FoldedAtoms, PatchPooling, pool_patches
from sksparse_nn.modules._patch_values import PATCH_VALUES
from sksparse_nn.solvers.patches import POOLINGS, read_layout


class PatchLayer(CodingLayer):
    """Codes of the patches of images, pooled over regions.

    The codes are those of :class:`~sksparse_nn.ImagePatchCoder`: patches are normalised
    in brightness and contrast, whitened, multiplied by atoms, and pooled.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, patch_width)
        Atoms of whitened patches to start from: a fitted coder's `components_`. A patch
        is flattened by row, column and channel.

    image_shape : tuple of int
        Height and width of the images, and for colour images the number of channels,
        first or last.

    channel_axis : {0, 2, -1} or None, default=None
        Axis of the channels in an `image_shape` of three. None takes the first axis if
        it is shorter than the last one, and otherwise the last.

    patch_size : int or tuple of int, default=6
        Height and width of a patch, in pixels.

    stride : int, default=1
        Distance between neighbouring patches, in pixels.

    algorithm : {"soft_threshold", "threshold", "triangle"}, default="soft_threshold"
        How the codes of a patch are found.

    alpha : float or None, default=None
        Level of the thresholds, which need one. "triangle" has none.

    contrast_reg : float, default=0.0
        Added to the variance of each patch: a fitted coder's `contrast_reg_`.

    whitening : array-like of shape (patch_width, patch_width) or None, default=None
        Symmetric matrix that multiplies patches: a fitted coder's `whitening_`. None
        leaves patches as they are. It is not trained.

    patch_mean : array-like of shape (patch_width,) or None, default=None
        Subtracted before: a fitted coder's `patch_mean_`.

    pooled_shape : int or tuple of int, default=2
        Number of rows and columns of the grid of regions.

    pooling : {"sum", "mean", "max"}, default="sum"
        Statistic of the values of a region.

    split_sign : bool, default=True
        Whether positive and negative values are pooled separately. Values of "triangle"
        are never negative.

    learn_alpha : bool, default=False
        Whether `alpha` of "soft_threshold" is trained too. It stays above zero.

    n_jobs : int, default=None
        Number of threads for sums and means of soft thresholds of both signs, on a CPU.
        The codes and the gradients do not depend on it.

    Attributes
    ----------
    dictionary : torch.nn.Parameter of shape (n_components, patch_width)
        The atoms as they are trained; thresholds read those of unit norm, `components`.

    See Also
    --------
    SoftThresholdLayer : Codes of whole samples.

    Notes
    -----
    A mini-batch is coded a few images at a time, by one thread on a CPU unless `n_jobs`
    says otherwise. Sums and means of soft thresholds of both signs keep nothing for the
    backward pass; other settings keep the patches and their products with the atoms.

    References
    ----------
    A. Coates, A. Y. Ng (2011), The importance of encoding versus training with sparse
    coding and vector quantization. ICML.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import PatchLayer
    >>> edges = torch.tensor([[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]])
    >>> layer = PatchLayer(
    ...     edges, (4, 4), patch_size=2, alpha=0.5, contrast_reg=1.0, pooled_shape=1
    ... )
    >>> layer(torch.arange(16.0)[None])  # brighter from row to row
    tensor([[0.0000, 0.0000, 0.0000, 9.4427]], grad_fn=<SweptSumsBackward>)
    """

    skips_zeros = False
    n_jobs: int | None = None  # of layers of older files
    _algorithms = PATCH_VALUES

    def __init__(
        self,
        dictionary: ArrayLike,
        image_shape: tuple[int, ...],
        *,
        channel_axis: int | None = None,
        patch_size: int | tuple[int, ...] = 6,
        stride: int = 1,
        algorithm: str = "soft_threshold",
        alpha: float | None = None,
        contrast_reg: float = 0.0,
        whitening: ArrayLike | None = None,
        patch_mean: ArrayLike | None = None,
        pooled_shape: int | tuple[int, ...] = 2,
        pooling: str = "sum",
        split_sign: bool = True,
        learn_alpha: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__()
        _check_choice("algorithm", algorithm, self._algorithms)
        _check_choice("pooling", pooling, POOLINGS)
        values = PATCH_VALUES[algorithm]
        _check_level(algorithm, alpha, learn_alpha=learn_alpha)
        self.algorithm, self.normalises_atoms = algorithm, values.unit_atoms
        atoms = check_dictionary(dictionary, zeros=not values.unit_atoms)
        layout = _read_layout(
            image_shape,
            channel_axis=channel_axis,
            patch_size=patch_size,
            stride=stride,
            pooled_shape=pooled_shape,
        )
        _check_shapes(atoms, layout, whitening=whitening, patch_mean=patch_mean)
        contrast = _check_contrast(contrast_reg)
        self._pooling = PatchPooling(layout, values, pooling, split_sign, contrast)
        self.dictionary, self.n_jobs = nn.Parameter(atoms), n_jobs
        width = layout.patch_width
        self._add_buffer("whitening", whitening)
        self._add_buffer(
            "patch_mean", np.zeros(width) if patch_mean is None else patch_mean
        )
        self._fixed = None if alpha is None else float(alpha)
        self.learnt_alpha = PositiveNumber(alpha, "alpha") if learn_alpha else None

    def _add_buffer(self, name, value):
        if value is not None:
            value = torch.as_tensor(value).detach().to(self.dictionary.dtype).clone()
        self.register_buffer(name, value)

    @property
    def out_features(self) -> int:
        """Number of codes per image.

        Returns
        -------
        n_outputs : int
            Per region, one per atom, or two where signs are apart.
        """
        signs = 2 if self._pooling.is_split else 1
        return self._pooling.layout.n_regions * signs * len(self.dictionary)

    @property
    def is_folded(self) -> bool:
        """Whether the atoms contain the whitening.

        Returns
        -------
        is_folded : bool
            True of layers for prediction, which do not store the whitening.
        """
        return self._pooling.values.unit_atoms and not self.normalises_atoms

    @property
    def components(self) -> torch.Tensor:
        """The atoms that products are taken with.

        Returns
        -------
        components : Tensor of shape (n_components, patch_width)
            A function of `dictionary`, through which gradients flow.
        """
        if not self.normalises_atoms:
            return self.dictionary
        return functional.normalize(self.dictionary, dim=1)

    @property
    def alpha(self) -> torch.Tensor | float | None:
        """The level as it stands.

        Returns
        -------
        alpha : Tensor of shape (), float or None
            A tensor where it is trained; None for an algorithm without it.
        """
        return self._fixed if self.learnt_alpha is None else self.learnt_alpha()

    @in_full_precision
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Code images.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Images, one per row.

        Returns
        -------
        codes : Tensor of shape (n_samples, out_features)
            By region; of each, positive values come first, then negative ones.

        Raises
        ------
        ValueError
            If images have another number of values.
        """
        n_features = self._pooling.layout.n_features
        check_samples(X, torch.empty(0, n_features, device="meta"))
        X = X.to(self.dictionary.dtype)
        return pool_patches(X, self._pooling, self._fold(), self.n_jobs)

    def _fold(self):
        """Multiply the atoms by the whitening, so that it need not multiply patches."""
        atoms = self.components
        weight = atoms if self.whitening is None else atoms @ self.whitening
        offsets = weight @ self.patch_mean
        level = self._level() if self._fixed is not None else atoms.square().sum(dim=1)
        return FoldedAtoms(weight, offsets, level, self.whitening, self.patch_mean)

    def _level(self):
        if self.learnt_alpha is not None:
            return self.alpha.to(self.dictionary.dtype)
        return min(self._fixed, torch.finfo(self.dictionary.dtype).max)

    def extra_repr(self) -> str:
        """Describe the layer, as torch prints it.

        Returns
        -------
        text : str
            Its shape and its algorithm.
        """
        layout = self._pooling.layout
        return (
            f"{layout.n_features}, {self.out_features}, patch={layout.patch}, "
            f"n_components={len(self.dictionary)}, algorithm={self.algorithm!r}"
        )


@count_multiply_adds.register
def _(layer: PatchLayer, shape):
    n_atoms, width = layer.dictionary.shape
    # Distances take whitened patches besides products.
    is_product = layer._pooling.values.unit_atoms
    work = (n_atoms if is_product else n_atoms + width) * width
    return shape[0] * layer._pooling.layout.n_positions * work


def _read_layout(image_shape, **sizes):
    if min(image_shape) < 1:
        raise ValueError(
            f"image_shape must be of integers > 0. Got {image_shape!r}; give "
            "height and width, and the number of channels if there are several."
        )
    return read_layout(prod(image_shape), image_shape=image_shape, **sizes)


def _check_choice(name, choice, known):
    if choice not in known:
        raise ValueError(f"{name} must be one of {list(known)}. Got {choice!r}.")


def _check_level(algorithm, alpha, *, learn_alpha):
    values = PATCH_VALUES[algorithm]
    if values.has_level != (alpha is not None):
        able = [name for name in PATCH_VALUES if PATCH_VALUES[name].has_level]
        raise ValueError(
            f"alpha must be given for {able}, and None for others. Got alpha={alpha!r} "
            f"with algorithm={algorithm!r}."
        )
    if alpha is not None and not alpha >= 0:
        raise ValueError(f"alpha must be a number not below zero. Got {alpha!r}.")
    if learn_alpha and not (values.has_level and values.is_smooth):
        raise ValueError(
            "learn_alpha=True needs codes with a derivative by alpha: those of "
            f'"soft_threshold". Got algorithm={algorithm!r}.'
        )


def _check_contrast(contrast_reg):
    if not (np.isfinite(contrast_reg) and contrast_reg >= 0):
        raise ValueError(
            f"contrast_reg must be a number not below zero. Got {contrast_reg!r}."
        )
    return float(contrast_reg)


def _check_shapes(atoms, layout, **given):
    width = layout.patch_width
    wanted = {
        "dictionary": (len(atoms), width),
        "whitening": (width, width),
        "patch_mean": (width,),
    }
    for name, value in {"dictionary": atoms, **given}.items():
        if value is not None and tuple(np.shape(value)) != wanted[name]:
            raise ValueError(
                f"{name} must be of shape {wanted[name]}, for patches of {width} "
                f"values. Got {tuple(np.shape(value))}; give the patch_size and the "
                "image_shape that the atoms are of."
            )
