"""Encoding images against its multiplications alone, and against torch."""

from functools import partial

import numpy as np
import torch
from torch.nn import functional

from sksparse_nn import ImagePatchCoder
from tests.benchmarks._floor import Products
from tests.benchmarks._memory import peak_megabytes
from tests.benchmarks._problems import images
from tests.benchmarks._timing import in_turn

_SIDE, _PATCH, _THREADS, _ALPHA = 32, 6, 2, 0.25
_POSITIONS, _WIDTH = (_SIDE - _PATCH + 1) ** 2, 3 * _PATCH**2


def rows(n_images=500):
    """Yield a row of the table for each number of atoms and peer."""
    X = images(n_images)
    for n_atoms in (400, 1600):
        coder = ImagePatchCoder(
            n_atoms,
            image_shape=(_SIDE, _SIDE, 3),
            learner=None,
            alpha=_ALPHA,
            n_jobs=_THREADS,
            random_state=0,
        ).fit(X)
        for name, peer, n_some, wanted in (
            (
                "torch, a matrix of 100 images' patches",
                partial(_unfolded, 100),
                200,
                10,
            ),
            ("torch, a matrix of 10 images' patches", partial(_unfolded, 10), 200, 10),
            ("torch conv2d", partial(_convolved, 10), n_images, 1),
        ):
            some = X[:n_some]
            ours, theirs = partial(coder.transform, some), partial(peer, coder, some)
            yield _row(name, n_atoms, ours, theirs, n_some) | {"wanted": wanted}


def _row(name, n_atoms, ours, theirs, n_images):
    products = Products()
    contest = in_turn(ours, theirs, n_rounds=9, before=products.measure)
    operations = 2 * n_images * _POSITIONS * _WIDTH * n_atoms
    least = 1e3 * operations / products.rate
    features, others = ours(), theirs()
    error = np.abs(features - others).max() / np.abs(features).max()
    return contest.row(
        work=f"soft thresholds of patches / {name}",
        size=f"{n_images} images of 32 x 32 x 3, patches of 6 x 6, {n_atoms} atoms",
        threads=_THREADS,
        **{
            "floor ms": f"{least:.3g}",
            "times floor": f"{1e3 * np.median(contest.ours) / least:.2f}",
            "ours MB": f"{peak_megabytes(ours):.0f}",
            "peer MB": f"{peak_megabytes(theirs):.0f}",
        },
        quality=f"features equal to {error:.0e}",
    )


def _folded(coder):
    """Return the atoms with the whitening in them, and what is taken off."""
    D = coder.components_ / np.linalg.norm(coder.components_, axis=1, keepdims=True)
    A = (coder.whitening_ @ D.T).astype(np.float32)
    offsets = (coder.patch_mean_ @ A).astype(np.float32)
    return torch.from_numpy(A), torch.from_numpy(offsets), coder.contrast_reg_


@torch.inference_mode()
def _unfolded(batch, coder, X):
    """Unfold, normalise, whiten, multiply, shrink, add up: each for all patches."""
    D = coder.components_ / np.linalg.norm(coder.components_, axis=1, keepdims=True)
    D = torch.from_numpy(D.astype(np.float32))
    W = torch.from_numpy(coder.whitening_.astype(np.float32))
    mean = torch.from_numpy(coder.patch_mean_.astype(np.float32))
    out = []
    for start in range(0, len(X), batch):
        pixels = torch.from_numpy(X[start : start + batch]).reshape(-1, _SIDE, _SIDE, 3)
        patches = pixels.unfold(1, _PATCH, 1).unfold(2, _PATCH, 1)
        patches = patches.permute(0, 1, 2, 4, 5, 3).reshape(-1, _WIDTH)
        patches = patches - patches.mean(dim=1, keepdim=True)
        variances = patches.var(dim=1, keepdim=True)
        patches = patches / torch.sqrt(variances + coder.contrast_reg_)
        z = ((patches - mean) @ W) @ D.T
        values = torch.cat([torch.relu(z - _ALPHA), torch.relu(-z - _ALPHA)], dim=1)
        side = _SIDE - _PATCH + 1
        out.append(_pooled(values.reshape(-1, side, side, 2 * len(D)), (1, 2)))
    return np.concatenate(out)


@torch.inference_mode()
def _convolved(batch, coder, X):
    """Let convolutions make the products and the means of patches."""
    A, offsets, contrast = _folded(coder)
    A = A - A.mean(dim=0)  # so that brightness has no part in the products
    kernels = A.T.reshape(-1, _PATCH, _PATCH, 3).permute(0, 3, 1, 2).contiguous()
    ones = torch.ones(1, 3, _PATCH, _PATCH) / _WIDTH
    offsets, out = offsets[None, :, None, None], []
    for start in range(0, len(X), batch):
        pixels = torch.from_numpy(X[start : start + batch])
        pixels = pixels.reshape(-1, _SIDE, _SIDE, 3).permute(0, 3, 1, 2).contiguous()
        means = functional.conv2d(pixels, ones)
        squares = functional.conv2d(pixels.square(), ones)
        variances = (squares - means.square()) * (_WIDTH / (_WIDTH - 1))
        scales = torch.rsqrt(variances.clamp_min(0) + contrast)
        z = functional.conv2d(pixels, kernels) * scales - offsets
        values = torch.cat([torch.relu(z - _ALPHA), torch.relu(-z - _ALPHA)], dim=1)
        out.append(_pooled(values, (2, 3)))
    return np.concatenate(out)


def _pooled(values, axes):
    """Add up the values of four quarters."""
    half = -(-values.shape[axes[0]] // 2)
    quarters = []
    for rows in (slice(None, half), slice(half, None)):
        for columns in (slice(None, half), slice(half, None)):
            where = [slice(None)] * 4
            where[axes[0]], where[axes[1]] = rows, columns
            quarters.append(values[tuple(where)].sum(dim=axes))
    return torch.cat(quarters, dim=1).numpy()
