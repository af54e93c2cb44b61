"""Patches of images in torch: normalised, multiplied by atoms, and pooled."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.autograd import forward_ad
from torch.autograd.function import once_differentiable
from torch.nn import functional

from sksparse_nn.modules._compressed import is_traced
from sksparse_nn.modules._patch_sums import SweptSums
from sksparse_nn.modules._patch_values import PatchValues
from sksparse_nn.modules._threads import limit_threads
from sksparse_nn.solvers._rows import block_slices
from sksparse_nn.solvers.patches import Layout

# Products at a time: they stay in cache on a CPU, and fill a GPU.
_ON_CPU, _ELSEWHERE = 2**19, 2**26


@dataclass(frozen=True)
class PatchPooling:
    """Map from images to the pooled values of their patches, in torch.

    Attributes
    ----------
    layout : Layout
        Layout of the images.

    values : PatchValues
        Turns products into values.

    kind : {"sum", "mean", "max"}
        Statistic of the values of a region.

    split_sign : bool
        Whether positive and negative values are pooled separately.

    contrast : float
        Added to the variance of a patch before the patch is divided by its root.
    """

    layout: Layout
    values: PatchValues
    kind: str
    split_sign: bool
    contrast: float

    @property
    def is_split(self):
        """Whether a region has two values per atom.

        Returns
        -------
        is_split : bool
            False for values that are never negative.
        """
        return self.split_sign and self.values.is_signed

    def blocks(self, images, n_atoms):
        """Cut images into blocks.

        Parameters
        ----------
        images : Tensor of shape (n_images, n_features)
            Images.

        n_atoms : int
            Number of atoms.

        Returns
        -------
        blocks : list of slice
            One at least.
        """
        if is_traced() or not len(images):
            return [slice(None)]
        most = _ON_CPU if images.device.type == "cpu" else _ELSEWHERE
        n_images = most // (self.layout.n_positions * n_atoms)
        return block_slices(len(images), max(1, n_images))

    def patches(self, images):
        """Gather patches and normalise their brightness and contrast.

        Parameters
        ----------
        images : Tensor of shape (n_images, n_features)
            Images as the user passes them.

        Returns
        -------
        patches : Tensor of shape (n_images, n_positions, patch_width)
            Copies.
        """
        patches = self._gather(images / (np.sqrt(self.contrast) or 1.0))
        # About the first value, so that a constant patch is exactly zero.
        patches = patches - patches[:, :, :1]
        patches = patches - patches.mean(dim=2, keepdim=True)
        n_free = max(self.layout.patch_width - 1, 1)
        variances = patches.square().sum(dim=2, keepdim=True) / n_free
        if self.contrast:
            return patches * (variances + 1).rsqrt()
        is_flat = variances == 0
        return patches * torch.where(is_flat, 1, variances).rsqrt()

    def _gather(self, images):
        layout = self.layout
        sides = layout.height, layout.width
        if layout.channels_first:
            images = images.reshape(-1, layout.n_channels, *sides).movedim(1, 3)
        else:
            images = images.reshape(-1, *sides, layout.n_channels)
        images = images.contiguous()
        for axis, length in enumerate(layout.patch, start=1):
            images = images.unfold(axis, length, layout.stride)
        patches = images.permute(0, 1, 2, 4, 5, 3)
        return patches.reshape(-1, layout.n_positions, layout.patch_width)

    def pool(self, values):
        """Pool values over regions.

        Parameters
        ----------
        values : Tensor of shape (n_images, n_positions, n_atoms)
            Values of patches.

        Returns
        -------
        pooled : Tensor of shape (n_images, n_outputs)
            By region; of each, positive values come first, then negative ones.
        """
        if not self.is_split:
            return self._pool_part(values, 1).flatten(1)
        parts = [
            self._pool_part(values.clamp(min=0), 1),
            self._pool_part(values.clamp(max=0), -1),
        ]
        return torch.cat(parts, dim=2).flatten(1)

    def _pool_part(self, values, sign):
        """Pool values times a sign, without a copy of all of them."""
        regions = torch.as_tensor(self.layout.regions, device=values.device)
        if self.kind == "max":
            found = [
                (sign * values[:, regions == region]).amax(dim=1)
                for region in range(self.layout.n_regions)
            ]
            return torch.stack(found, dim=1)
        shares = functional.one_hot(regions, self.layout.n_regions).T.to(values)
        if self.kind == "mean":
            shares = shares / shares.sum(dim=1, keepdim=True)
        return (sign * shares) @ values


@dataclass(frozen=True)
class FoldedAtoms:
    """Atoms for patches that are not whitened.

    Attributes
    ----------
    weight : Tensor of shape (n_atoms, patch_width)
        Atoms times the whitening matrix.

    offsets : Tensor of shape (n_atoms,)
        Subtracted from products.

    per_atom : float or Tensor
        As `PatchValues` takes it.

    whitening : Tensor of shape (patch_width, patch_width) or None
        The matrix, None for none.

    mean : Tensor of shape (patch_width,)
        Subtracted before whitening.
    """

    weight: torch.Tensor
    offsets: torch.Tensor
    per_atom: float | torch.Tensor
    whitening: torch.Tensor | None
    mean: torch.Tensor

    def products(self, patches):
        """Multiply patches and atoms.

        Parameters
        ----------
        patches : Tensor of shape (n_images, n_positions, patch_width)
            Normalised.

        Returns
        -------
        products : Tensor of shape (n_images, n_positions, n_atoms)
            Of whitened patches.
        """
        flat = torch.addmm(-self.offsets, patches.flatten(0, 1), self.weight.T)
        return flat.view(*patches.shape[:2], len(self.weight))

    def squares(self, patches):
        """Compute the squared norms of whitened patches.

        Parameters
        ----------
        patches : Tensor of shape (n_images, n_positions, patch_width)
            Normalised.

        Returns
        -------
        squares : Tensor of shape (n_images, n_positions, 1)
            Not below zero.
        """
        patches = patches - self.mean
        if self.whitening is not None:
            patches = patches @ self.whitening
        return patches.square().sum(dim=2, keepdim=True)


def pool_patches(images, pooling, folded, n_jobs=None):
    """Encode and pool the patches of images, a few images at a time.

    Parameters
    ----------
    images : Tensor of shape (n_images, n_features)
        Images.

    pooling : PatchPooling
        The map.

    folded : FoldedAtoms
        The atoms.

    n_jobs : int or None, default=None
        Number of threads for what a kernel computes, on which nothing depends.

    Returns
    -------
    pooled : Tensor of shape (n_images, n_outputs)
        The features.
    """
    if _are_fixed(images, folded):
        learnt = folded.weight, folded.offsets, folded.per_atom
        if SweptSums.can_sweep(images, pooling):
            return SweptSums.apply(*learnt, (images, pooling, n_jobs))
        if torch.is_grad_enabled() and folded.weight.requires_grad:
            return _Pooled.apply(*learnt, (images, pooling, folded))
    with limit_threads((), 0):
        blocks = pooling.blocks(images, len(folded.weight))
        return torch.cat([_pool_block(images[b], pooling, folded) for b in blocks])


def _are_fixed(images, folded):
    """Return whether images are plain numbers that nothing is differentiated by."""
    given = images, folded.weight
    return not (
        is_traced()
        or images.requires_grad
        or any(forward_ad.unpack_dual(tensor).tangent is not None for tensor in given)
        or any(map(torch._C._functorch.is_functorch_wrapped_tensor, given))
    )


def _pool_block(images, pooling, folded):
    patches = pooling.patches(images)
    squares = None if pooling.values.has_level else folded.squares(patches)
    products = folded.products(patches)
    return pooling.pool(pooling.values(products, squares, folded.per_atom))


class _Pooled(torch.autograd.Function):
    """Pooled values of fixed images, and the gradients of what depends on atoms.

    Patches and products are kept. What follows from them is computed anew in the
    backward pass, a few images at a time, so that it stays in cache.
    """

    @staticmethod
    def forward(ctx, weight, offsets, per_atom, fixed):
        images, pooling, folded = fixed
        ctx.pooling, ctx.per_atom, ctx.weight = pooling, per_atom, weight.detach()
        ctx.kept, pooled = [], []
        with limit_threads((), 0):
            for block in pooling.blocks(images, len(weight)):
                patches = pooling.patches(images[block])
                squares = None if pooling.values.has_level else folded.squares(patches)
                products = folded.products(patches)
                pooled.append(pooling.pool(pooling.values(products, squares, per_atom)))
                ctx.kept.append((block, patches, squares, products))
        return torch.cat(pooled)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradients):
        of_weight = torch.zeros_like(ctx.weight)
        of_offsets = torch.zeros_like(ctx.weight[:, 0])
        of_others = 0
        with limit_threads((), 0):
            for block, patches, squares, products in ctx.kept:
                leaves = _as_leaves(products, ctx.per_atom)
                with torch.enable_grad():
                    values = ctx.pooling.values(leaves[0], squares, leaves[-1])
                    pooled = ctx.pooling.pool(values)
                wanted = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
                found = torch.autograd.grad(pooled, wanted, gradients[block])
                of_products = found[0].flatten(0, 1)
                of_weight.addmm_(of_products.T, patches.flatten(0, 1))
                of_offsets -= of_products.sum(dim=0)
                if len(found) > 1:
                    of_others = of_others + found[1]
        is_learnt = ctx.needs_input_grad[2]
        return of_weight, of_offsets, of_others if is_learnt else None, None


def _as_leaves(products, per_atom):
    leaves = [products.detach().requires_grad_()]
    if isinstance(per_atom, torch.Tensor):
        return [*leaves, per_atom.detach().requires_grad_()]
    return [*leaves, per_atom]
