"""Patches of equal brightness and contrast, their values made uncorrelated."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sksparse_nn.kernels.patches import scale_patches

# Numbers whose variances, and what these are divided by, stay within a type.
_LARGEST = {"float32": 1e30, "float64": 1e140}


def check_scale(X):
    """Refuse images whose contrast overflows or vanishes.

    Parameters
    ----------
    X : ndarray or CSR matrix
        Images, of a float type.

    Raises
    ------
    ValueError
        If the largest magnitude is neither zero nor in the range of the type.
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
    """An affine map of patches.

    Attributes
    ----------
    contrast : float
        Added to the variance of a patch before it is divided by the root.

    mean : ndarray of shape (patch_width,)
        Mean of the patches behind that.

    matrix : ndarray of shape (patch_width, patch_width)
        Symmetric; multiplies what is left.
    """

    contrast: float
    mean: np.ndarray
    matrix: np.ndarray

    def scales(self, patches):
        """Return what centred patches are multiplied by.

        Parameters
        ----------
        patches : Patches
            The patches.

        Returns
        -------
        scales : ndarray of shape (n_patches,)
            In the type of the patches; zero for a constant one if nothing is added.
        """
        scales = np.empty(len(patches), patches.centred.dtype)
        scale_patches(patches.variances, self.contrast, scales)
        return scales

    def apply(self, patches):
        """Map patches.

        Parameters
        ----------
        patches : Patches
            The patches.

        Returns
        -------
        whitened : ndarray of shape (n_patches, patch_width)
            In the type of the patches.
        """
        dtype = patches.centred.dtype
        scaled = patches.centred * self.scales(patches)[:, None]
        return (scaled - self.mean.astype(dtype)) @ self.matrix.astype(dtype)

    def undo(self, whitened, scales, means):
        """Map whitened patches back.

        Parameters
        ----------
        whitened : ndarray of shape (n_patches, patch_width)
            From `apply`, or near that.

        scales, means : ndarray of shape (n_patches,)
            Those of the patches.

        Returns
        -------
        patches : ndarray of shape (n_patches, patch_width)
            As they came.
        """
        scaled = np.linalg.solve(self.matrix.T, whitened.T).T + self.mean
        safe = np.where(scales > 0, scales, np.inf)
        return scaled / safe[:, None] + means[:, None]


def fit_whitening(patches, *, kind, regularisation, contrast):
    """Learn the map from patches.

    Parameters
    ----------
    patches : Patches
        To learn from.

    kind : {"zca"} or None
        None only evens out the contrast.

    regularisation : float
        Added to the variances along principal directions; those of values of patches
        are about one.

    contrast : float
        Added to the variance of each patch, as a share of their mean.

    Returns
    -------
    whitening : Whitening
        In float64.
    """
    width = patches.centred.shape[1]
    added = float(contrast * patches.variances.mean())
    plain = Whitening(added, np.zeros(width), np.eye(width))
    if kind is None:
        return plain
    scaled = patches.centred * plain.scales(patches)[:, None]
    mean = scaled.mean(axis=0, dtype=np.float64)
    deviations = scaled - mean.astype(scaled.dtype)
    covariance = (deviations.T @ deviations).astype(np.float64) / max(len(scaled), 1)
    values, vectors = np.linalg.eigh(covariance)
    # Below it a direction, such as that of the means, holds only rounding.
    least = np.finfo(deviations.dtype).eps * values.max()
    roots = 1 / np.sqrt(np.maximum(values, least) + regularisation)
    return Whitening(added, mean, (vectors * roots) @ vectors.T)
