"""A layer of codes of patches that keeps their places, as convolutions."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch.nn import functional

from sksparse_nn.modules._compressed import is_traced
from sksparse_nn.modules._patch_values import PATCH_VALUES
from sksparse_nn.modules._patches import PatchLayer


class PatchConvolution(PatchLayer):
    """Codes of the patches of images as maps, one per atom and sign.

    The codes are those that `PatchLayer` pools: the whitening is part of the filters,
    and the contrast of each patch divides what they return. Parameters are those of
    `PatchLayer`, of which `pooled_shape` and `pooling` are not read and "triangle" is
    not possible. `from_coder` is the usual way to make one.

    See Also
    --------
    PatchNet : A network whose first layer this is.

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import PatchConvolution
    >>> edges = torch.tensor([[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]])
    >>> layer = PatchConvolution(edges, (4, 4), patch_size=2, alpha=0.5)
    >>> layer(torch.arange(16.0)[None]).shape
    torch.Size([1, 4, 3, 3])
    """

    _algorithms = [name for name in PATCH_VALUES if PATCH_VALUES[name].has_level]

    @classmethod
    def from_coder(cls, coder: Any, *, learn_alpha: bool = False) -> Self:
        """Make a layer of a fitted coder.

        Parameters
        ----------
        coder : ImagePatchCoder
            Fitted, with `algorithm` "soft_threshold" or "threshold".

        learn_alpha : bool, default=False
            Whether the level of "soft_threshold" is trained too.

        Returns
        -------
        layer : PatchConvolution
            In the float type of the atoms.
        """
        from sksparse_nn.modules._patch_coders import patch_layer

        return patch_layer(coder, learn_alpha=learn_alpha, kind=cls)

    @property
    def map_shape(self) -> tuple[int, ...]:
        """Shape of the codes of an image.

        Returns
        -------
        shape : tuple of int
            Channels, height and width.
        """
        signs = 2 if self._pooling.is_split else 1
        return signs * len(self.dictionary), *self._pooling.layout.positions

    @property
    def out_features(self) -> int:
        """Number of codes per image.

        Returns
        -------
        n_outputs : int
            Per place, one per atom, or two where signs are apart.
        """
        n_channels, height, width = self.map_shape
        return n_channels * height * width

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Code images.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features)
            Images, one per row; or images of shape (n_samples, channels, height, width)
            where the coder has channels first.

        Returns
        -------
        codes : Tensor of shape (n_samples, n_channels, height, width)
            Maps of all atoms, and then those of negative values.
        """
        layout, folded = self._pooling.layout, self._fold()
        images = self._as_images(X.to(self.dictionary.dtype))
        # Filters take no notice of the brightness, but rounding does.
        images = images - images.mean(dim=(1, 2, 3), keepdim=True)
        products = functional.conv2d(
            images, self._filters(folded.weight), stride=layout.stride
        )
        products = products * self._contrast(images)
        products = products - folded.offsets[:, None, None]
        values = self._pooling.values(products, None, folded.per_atom)
        if not self._pooling.is_split:
            return values
        return torch.cat([values.clamp(min=0), -values.clamp(max=0)], dim=1)

    def _as_images(self, X):
        layout = self._pooling.layout
        sides = layout.height, layout.width
        X = X / (self._pooling.contrast**0.5 or 1.0)
        if layout.channels_first:
            return X.reshape(-1, layout.n_channels, *sides)
        return X.reshape(-1, *sides, layout.n_channels).movedim(3, 1)

    def _filters(self, weight):
        """Return filters that do not see the mean of a patch."""
        layout = self._pooling.layout
        weight = weight - weight.mean(dim=1, keepdim=True)
        weight = weight.reshape(-1, *layout.patch, layout.n_channels)
        return weight.permute(0, 3, 1, 2)

    def _contrast(self, images):
        """Return what the filters' products with each patch are multiplied by."""
        layout = self._pooling.layout
        window, n_values = (layout.patch, layout.stride), layout.patch_width
        wide = images.double()  # a difference of squares loses half of the digits
        average = _average_traced if is_traced() else functional.avg_pool2d
        mean = average(wide.mean(1, keepdim=True), *window)
        square = average(wide.square().mean(1, keepdim=True), *window)
        variance = (square - mean.square()).clamp(min=0)
        variance = variance * n_values / max(n_values - 1, 1)
        if self._pooling.contrast:
            return (variance + 1).rsqrt().to(images.dtype)
        is_flat = variance <= 1e-12 * square
        contrast = torch.where(is_flat, 1, variance).rsqrt()
        return torch.where(is_flat, 0, contrast).to(images.dtype)


def _average_traced(images, size, stride):
    """Compute `avg_pool2d` by operations that onnxruntime has in double precision."""
    windows = images.unfold(2, size[0], stride).unfold(3, size[1], stride)
    return windows.mean((-2, -1))
