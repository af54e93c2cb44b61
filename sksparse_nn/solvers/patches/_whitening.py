"""Normalisation of the brightness and contrast of patches, and whitening."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.patches import scale_patches

# Largest magnitude whose variances, and their inverses, are within the type.
_LARGEST = {"float32": 1e30, "float64": 1e140}


def check_scale(X):
    """Raise if the contrast of images overflows or vanishes.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Images, of a float type.

    Raises
    ------
    ValueError
        If the largest magnitude is out of range and not zero.
    """
    values = X.data if sparse.issparse(X) else X
    largest = max(values.max(initial=0), -values.min(initial=0))
    most = _LARGEST[X.dtype.name]
    if largest and not 1 / most <= largest <= most:
        raise ValueError(
            f"The contrast of {X.dtype.name} images can be evened out where their "
            f"largest magnitude is from {1 / most:g} to {most:g}. Got {largest:g}; "
            "scale X."
        )


@dataclass(frozen=True)
class Patches:
    """Patches of images.

    Attributes
    ----------
    centred : ndarray of shape (n_patches, patch_width)
        The patches without their means.

    variances : ndarray of shape (n_patches,)
        Their variances, in float64.
    """

    centred: np.ndarray
    variances: np.ndarray

    def __len__(self):
        return len(self.centred)

    def __getitem__(self, which):
        return Patches(self.centred[which], self.variances[which])


@dataclass(frozen=True)
class Whitening:
    """Map of patches: normalise the contrast, subtract a mean, multiply by a matrix.

    Attributes
    ----------
    contrast : float
        Added to the variance of a patch before the patch is divided by its root.

    mean : ndarray of shape (patch_width,)
        Mean of the patches of normalised contrast.

    matrix : ndarray of shape (patch_width, patch_width)
        Symmetric whitening matrix.
    """

    contrast: float
    mean: np.ndarray
    matrix: np.ndarray

    def scales(self, patches):
        """Return the factors that normalise the contrast of centred patches.

        Parameters
        ----------
        patches : Patches
            The patches.

        Returns
        -------
        scales : ndarray of shape (n_patches,)
            Factors, of the type of the patches; zero for a constant patch if `contrast`
            is zero.
        """
        scales = np.empty(len(patches), patches.centred.dtype)
        scale_patches(patches.variances, self.contrast, scales)
        return scales

    def normalise(self, patches):
        """Normalise the contrast of patches.

        Parameters
        ----------
        patches : Patches
            The patches.

        Returns
        -------
        scaled : ndarray of shape (n_patches, patch_width)
            Of the type of the patches.
        """
        return patches.centred * self.scales(patches)[:, None]

    def apply(self, patches):
        """Whiten patches.

        Parameters
        ----------
        patches : Patches
            The patches.

        Returns
        -------
        whitened : ndarray of shape (n_patches, patch_width)
            Whitened patches, of the type of the patches.
        """
        dtype, scaled = patches.centred.dtype, self.normalise(patches)
        return (scaled - self.mean.astype(dtype)) @ self.matrix.astype(dtype)

    def undo(self, whitened, scales, means):
        """Map whitened patches back.

        Parameters
        ----------
        whitened : ndarray of shape (n_patches, patch_width)
            From `apply`, or approximations.

        scales, means : ndarray of shape (n_patches,)
            Scales and means of the original patches.

        Returns
        -------
        patches : ndarray of shape (n_patches, patch_width)
            Patches of the original brightness and contrast.
        """
        scaled = np.linalg.solve(self.matrix.T, whitened.T).T + self.mean
        safe = np.where(scales > 0, scales, np.inf)
        return scaled / safe[:, None] + means[:, None]


def fit_whitening(patches, *, kind, regularisation, contrast, weights=None):
    """Learn the whitening of patches.

    Parameters
    ----------
    patches : Patches
        Patches to learn from.

    kind : {"zca"} or None
        Kind of whitening; None only normalises the contrast.

    regularisation : float
        Added to the variance along each principal direction; the variances are about
        one on average.

    contrast : float
        Added to the variance of each patch, as a share of their mean.

    weights : ndarray of shape (n_patches,) or None, default=None
        Weights of the patches; None for ones.

    Returns
    -------
    whitening : Whitening
        The map, in float64.
    """
    width = patches.centred.shape[1]
    added = float(contrast * np.average(patches.variances, weights=weights))
    plain = Whitening(added, np.zeros(width), np.eye(width))
    if kind is None:
        return plain
    mean, covariance = _compute_covariance(plain.normalise(patches), weights)
    values, vectors = np.linalg.eigh(covariance)
    # Below this a direction, such as that of the means, holds only rounding.
    least = np.finfo(patches.centred.dtype).eps * values.max()
    roots = 1 / np.sqrt(np.maximum(values, least) + regularisation)
    return Whitening(added, mean, (vectors * roots) @ vectors.T)


def _compute_covariance(scaled, weights):
    if weights is None:
        mean = scaled.mean(axis=0, dtype=np.float64)
    else:
        mean = weights @ scaled / weights.sum()
    deviations = scaled - mean.astype(scaled.dtype)
    total = len(scaled)
    if weights is not None:
        deviations *= np.sqrt(weights)[:, None]
        total = weights.sum()
    products = (deviations.T @ deviations).astype(np.float64)
    return mean, products / total
