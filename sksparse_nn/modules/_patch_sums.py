"""Sums of soft thresholds of patches in torch, by a kernel that keeps no products."""

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from sksparse_nn.solvers.patches import SoftSums

_TYPES = torch.float32, torch.float64


class SweptSums(torch.autograd.Function):
    """Pooled soft thresholds of fixed images, and gradients of what depends on atoms.

    Patches and products are computed anew in the backward pass.
    """

    @staticmethod
    def can_sweep(images, pooling):
        """Return whether the kernel computes what a pooling asks for.

        Parameters
        ----------
        images : Tensor of shape (n_images, n_features)
            Images.

        pooling : PatchPooling
            The map.

        Returns
        -------
        can_sweep : bool
            True for sums and means of soft thresholds by sign, on a CPU.
        """
        is_sum = pooling.kind != "max" and pooling.is_split
        is_simple = images.device.type == "cpu" and images.dtype in _TYPES
        return is_sum and is_simple and pooling.values.is_swept and len(images) > 0

    @staticmethod
    def forward(ctx, weight, offsets, level, fixed):
        images, pooling, n_jobs = fixed
        layout = pooling.layout
        ctx.sums = SoftSums(
            layout,
            np.ascontiguousarray(weight.detach().numpy()),
            offsets.detach().numpy(),
            pooling.contrast,
            float(level),
            n_jobs,
        )
        ctx.images = layout.to_pixel_order(np.ascontiguousarray(images.numpy()))
        is_mean = pooling.kind == "mean"
        ctx.shares = torch.from_numpy(1 / layout.region_sizes) if is_mean else None
        return _scale(torch.from_numpy(ctx.sums.sum(ctx.images)), ctx.shares)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradients):
        gradients = _scale(gradients, ctx.shares).contiguous().numpy()
        *found, of_level = ctx.sums.differentiate(ctx.images, gradients)
        of_level = gradients.dtype.type(of_level) if ctx.needs_input_grad[2] else None
        of_level = None if of_level is None else torch.tensor(of_level)
        return *map(torch.from_numpy, found), of_level, None


def _scale(pooled, shares):
    """Multiply what belongs to each region by a number."""
    if shares is None:
        return pooled
    by_region = pooled.view(len(pooled), len(shares), -1)
    return (by_region * shares.to(pooled)[:, None]).flatten(1)
