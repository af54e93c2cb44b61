"""A network whose first layer are atoms of patches."""

from __future__ import annotations

from typing import Any, Self

from torch import nn

from sksparse_nn.modules._coded import CodedNetwork, Scale
from sksparse_nn.modules._patch_convolution import PatchConvolution
from sksparse_nn.modules._resnet import convolution


class PatchNet(CodedNetwork):
    """Codes of patches as maps, two convolutions behind them, and a linear layer.

    Made by `from_coder`. It takes pixels as the coder was given them.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import ImagePatchCoder
    >>> from sksparse_nn.modules import PatchNet
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = ImagePatchCoder(
    ...     16, image_shape=(8, 8), patch_size=3, max_epochs=1, random_state=0
    ... )
    >>> module = PatchNet.from_coder(coder.fit(X), 10)
    >>> module(torch.from_numpy(X[:2])).shape
    torch.Size([2, 10])
    """

    @classmethod
    def from_coder(
        cls,
        coder: Any,
        n_outputs: int,
        *,
        width: int = 32,
        factor: float = 1.0,
        tune: bool = True,
        learn_alpha: bool = False,
    ) -> Self:
        """Make a network of a fitted coder.

        Parameters
        ----------
        coder : ImagePatchCoder
            Fitted, with `algorithm` "soft_threshold" or "threshold".

        n_outputs : int
            Number of outputs.

        width : int, default=32
            Channels of the convolutions behind the codes.

        factor : float, default=1.0
            Multiplies the codes.

        tune : bool, default=True
            Whether the atoms are trained. Otherwise they stay as they are.

        learn_alpha : bool, default=False
            Whether the level of "soft_threshold" is trained too.

        Returns
        -------
        network : PatchNet
            In the float type of the atoms.
        """
        coding = PatchConvolution.from_coder(coder, learn_alpha=learn_alpha)
        coding.requires_grad_(tune)
        head = nn.Sequential(
            *convolution(coding.map_shape[0], width, stride=2),
            *convolution(width, width),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * width, n_outputs),
        )
        return cls.of(coding, Scale(factor), head).to(coding.dictionary.dtype)
