"""Damage to images of MNIST, and attacks on networks."""

import numpy as np
import torch
from scipy.ndimage import shift
from sklearn.preprocessing import normalize

_SIDE = 28


def noise(images, sigma, rng):
    """Add noise, in root mean squares of the images' values."""
    unit = np.sqrt(np.mean(images**2))
    return images + sigma * unit * rng.standard_normal(images.shape)


def salt_and_pepper(images, share, rng):
    """Set a share of the pixels to black or white."""
    hit, white = rng.random(images.shape) < share, rng.random(images.shape) < 0.5
    return np.where(hit, 255.0 * white, images)


def occlusion(images, side, rng):
    """Cover a square at a random place with black."""
    images = images.copy()
    for image in images:
        row, column = rng.integers(0, _SIDE - side + 1, 2)
        image[row : row + side, column : column + side] = 0
    return images


def displacement(images, distance, rng):
    """Shift in a random direction."""
    angles = rng.uniform(0, 2 * np.pi, len(images))
    steps = distance * np.column_stack([np.sin(angles), np.cos(angles)])
    pairs = zip(images, steps, strict=True)
    return np.array([shift(image, step, order=1) for image, step in pairs])


# Name, damage, strengths, and what the strength is.
CORRUPTIONS = [
    ("noise", noise, (0.5, 1.0, 1.5, 2.0), "root mean squares"),
    ("salt and pepper", salt_and_pepper, (0.05, 0.1, 0.2, 0.3), "share of pixels"),
    ("occlusion", occlusion, (4, 8, 12, 16), "side of the square in pixels"),
    ("shift", displacement, (1, 2, 3, 4), "pixels"),
]
RADII = (0.025, 0.05, 0.1, 0.15)


def damaged(damage, images, strength):
    """Return damaged images as samples of unit norm."""
    rng = np.random.default_rng(0)
    X = damage(images.reshape(-1, _SIDE, _SIDE).astype(np.float64), strength, rng)
    return normalize(X.reshape(len(X), -1)).astype(np.float32)


def attacked(net, X, y, radius, n_steps=20):
    """Move samples within a ball to where the loss is large, by projected gradients."""
    if not radius:
        return X
    module = net.net_.module_.eval()
    start, y = torch.from_numpy(X), torch.from_numpy(np.searchsorted(net.classes_, y))
    step = torch.zeros_like(start)
    for _ in range(n_steps):
        step.requires_grad_(True)
        loss = torch.nn.functional.cross_entropy(module(start + step), y)
        (gradient,) = torch.autograd.grad(loss, step)
        with torch.no_grad():
            size = gradient.norm(dim=1, keepdim=True).clamp_min(1e-30)
            step = step + 2.5 * radius / n_steps * gradient / size
            step = step * (radius / step.norm(dim=1, keepdim=True)).clamp_max(1)
    return (start + step.detach()).numpy()
